// SPDX-License-Identifier: MIT
/** The compiler has shown that this cannot be reached; at run time, a value came from outside the types. */
export function unreachable(value: never): never {
  throw new Error(`Not a value that the contract knows: ${String(value)}`);
}
