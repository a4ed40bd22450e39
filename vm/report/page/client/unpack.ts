// SPDX-License-Identifier: MIT

/** What page.ts packed into the element with this id. */
export async function unpack<T>(id: string): Promise<T> {
  const text = document.getElementById(id)?.textContent ?? '';
  const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- page.ts and this are built together
  return (await new Response(stream).json()) as T;
}
