// SPDX-License-Identifier: MIT
/** Makes untrusted text safe to display: shows invisible characters, and truncates long text. */

const LONGEST = 2000;
/** Control and bidirectional formatting characters. */
// oxlint-disable-next-line no-control-regex -- matching control characters is the purpose
const UNSEEN = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** Fast path: matches most text. */
const PLAIN = /^[\t\x20-\x7e]*$/;

/** Replaces control characters by their symbols (U+2400 and up), and other invisible characters and lone surrogates by U+FFFD. */
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

/** Formats seconds without trailing zeros, to at most nine digits: '1.050000001 s'. */
export function seconds(ns: number): string {
  const [whole = '0', part = ''] = (ns / 1e9).toFixed(9).split('.');
  return `${whole}.${part.replace(/0+$/, '').padEnd(3, '0')} s`;
}
