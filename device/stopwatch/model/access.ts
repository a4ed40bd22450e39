// SPDX-License-Identifier: MIT
/** Which accesses to `regs` the contract allows. */
import { type Access, type Register, type RegisterName, registerAt } from '../contract/contract.js';

export interface Decoded {
  readonly name: RegisterName;
  /** Number of the register's first bit that the access covers: 0, or 32 for the high half. */
  readonly shift: bigint;
  /** As many bits as the access covers. */
  readonly mask: bigint;
}

const READABLE: Readonly<Record<Access, boolean>> = { W: true, R: true, 'R/W': true, 'R/W1C': true };
const WRITABLE: Readonly<Record<Access, boolean>> = { W: true, R: false, 'R/W': true, 'R/W1C': true };

/** The register meant by an access, or undefined where the access is BAD_ACCESS: width, alignment, offset or direction. */
export function decode(direction: 'read' | 'write', offset: bigint, size: number): Decoded | undefined {
  const half = offset % 8n;
  const register: (Register & { name: RegisterName }) | undefined = registerAt(Number(offset - half));
  if (register === undefined) return undefined;
  if (!(direction === 'read' ? READABLE : WRITABLE)[register.access]) return undefined;
  if (size !== 8 && size !== 4) return undefined;
  if (half % BigInt(size) !== 0n) return undefined;
  if (direction === 'write' && half !== 0n) return undefined;
  return { name: register.name, shift: half * 8n, mask: (1n << BigInt(size * 8)) - 1n };
}
