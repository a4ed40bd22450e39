// SPDX-License-Identifier: MIT
/** Text from a guest or a file, made safe to show: what cannot be seen is made visible, what is too long is cut. */

const LONGEST = 2000;
/** Controls, and what changes the direction of the text around it. */
// oxlint-disable-next-line no-control-regex -- these are what is looked for
const UNSEEN = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** Most text. */
const PLAIN = /^[\t\x20-\x7e]*$/;

/** A control character becomes its picture (U+2400 and on); another unseen one, or half a pair, becomes U+FFFD. */
export function visible(text: string, longest = LONGEST): string {
  if (text.length <= longest && PLAIN.test(text)) return text;
  const cut = text.length > longest ? text.slice(0, longest) : text;
  const seen = cut.replace(UNSEEN, (sign) => {
    const code = sign.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    return code === 0x7f ? '\u2421' : '\ufffd';
  });
  const whole = seen.replace(/\p{Cs}/gu, '\ufffd');
  return cut.length === text.length ? whole : `${whole}… (${text.length - longest} more characters)`;
}

/** '1.050000000 s', with the digits that differ from zero, at most nine. */
export function seconds(ns: number): string {
  const [whole = '0', part = ''] = (ns / 1e9).toFixed(9).split('.');
  return `${whole}.${part.replace(/0+$/, '').padEnd(3, '0')} s`;
}
