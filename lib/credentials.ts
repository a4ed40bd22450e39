// SPDX-License-Identifier: MIT
/** Names and passwords in addresses, such as those of proxies. */

const HIDDEN = '…';

/**
 * The text with `…` for the user and password of every address in it, and of every `…_proxy=` even without a scheme. A
 * password that holds an `@` goes as a whole. One that holds a `/`, `?` or `#` has to be encoded in an address that is
 * not assigned to a proxy, because it looks like a path.
 */
export function withoutCredentials(text: string): string {
  // Every line of a build comes here.
  if (!text.includes('@')) return text;
  return text.replaceAll(/\S+/g, (word) => {
    const at = word.lastIndexOf('@');
    if (at === -1) return word;
    const proxy = /_proxy=["']?(?:\w{1,10}:\/\/)?/i.exec(word);
    const from = proxy === null ? at : proxy.index + proxy[0].length;
    if (from < at) return word.slice(0, from) + HIDDEN + word.slice(at);
    return word.replaceAll(/:\/\/[^/?#]*@/g, `://${HIDDEN}@`);
  });
}

/** True if `withoutCredentials` would hide something. */
export function hasCredentials(text: string): boolean {
  return withoutCredentials(text) !== text;
}
