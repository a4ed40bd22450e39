// SPDX-License-Identifier: MIT
/** The names in a table of the contract, typed. */

const isKey = <T extends object>(map: T, key: string): key is Extract<keyof T, string> =>
  Object.hasOwn(map, key);

/** In the order in which they are written. */
export const keys = <T extends object>(map: T): Extract<keyof T, string>[] =>
  Object.keys(map).filter((key) => isKey(map, key));

/** From code to name. */
export function namesByCode<Name extends string>(
  codes: Readonly<Record<Name, bigint>>,
): ReadonlyMap<bigint, Name> {
  return new Map(keys(codes).map((name) => [codes[name], name]));
}
