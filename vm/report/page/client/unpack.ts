// SPDX-License-Identifier: MIT
/** Unpacks the page's data. */

/** `id`: the element into which page.ts packed it. */
export async function unpack<T>(id: string): Promise<T> {
  const text = atob(document.getElementById(id)?.textContent ?? '');
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- page.ts and this are built together
  return (await new Response(stream).json()) as T;
}
