// SPDX-License-Identifier: MIT
/** The names of a table, typed. */

const isKey = <T extends object>(map: T, key: string): key is Extract<keyof T, string> =>
  Object.hasOwn(map, key);

/** In the order in which they are written. */
export const keys = <T extends object>(map: T): Extract<keyof T, string>[] =>
  Object.keys(map).filter((key) => isKey(map, key));
