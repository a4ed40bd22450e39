// SPDX-License-Identifier: MIT
/** Finds a register by its offset. */
export function registerAt<R extends { readonly offset: number }>(
  registers: readonly R[],
  offset: bigint,
): R | undefined {
  const at = Number(offset);
  return registers.find((register) => register.offset === at);
}
