// SPDX-License-Identifier: MIT
/** Which accesses to `regs` the contract allows. */
import { type Access, type Register, type RegisterName, registerAt } from '../contract/contract.js';

export interface Decoded {
  readonly name: RegisterName;
  /** Bits of the register that the access covers: its low half or all of it. */
  readonly mask: bigint;
}

const READABLE: Readonly<Record<Access, boolean>> = { W: true, R: true, 'R/W': true, 'R/W1C': true };
const WRITABLE: Readonly<Record<Access, boolean>> = { W: true, R: false, 'R/W': true, 'R/W1C': true };

/** The register meant by an access, or undefined where the access is BAD_ACCESS: width, alignment, offset or direction. */
export function decode(direction: 'read' | 'write', offset: bigint, size: number): Decoded | undefined {
  const register: (Register & { name: RegisterName }) | undefined = registerAt(Number(offset));
  if (register === undefined) return undefined;
  if (!(direction === 'read' ? READABLE : WRITABLE)[register.access]) return undefined;
  if (size !== 8 && !(size === 4 && register.low32)) return undefined;
  return { name: register.name, mask: (1n << BigInt(size * 8)) - 1n };
}
