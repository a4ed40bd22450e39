// SPDX-License-Identifier: MIT
/** The contract's enumerations, from code to name. */

/** `codes` the other way round. */
export function namesByCode<Name extends string>(
  codes: Readonly<Record<Name, bigint>>,
): ReadonlyMap<bigint, Name> {
  const isName = (key: string): key is Name => Object.hasOwn(codes, key);
  return new Map(
    Object.keys(codes)
      .filter(isName)
      .map((name) => [codes[name], name]),
  );
}
