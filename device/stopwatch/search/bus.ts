// SPDX-License-Identifier: MIT
/** The addresses of the device's regions, and how QEMU splits an access to many bytes. */
import { MEM_SIZE, REGS_SIZE } from '../contract/contract.js';
import type { Region } from './script.js';

/** The platform bus of `virt` places the first device's regions here, in order. */
export const MEM = 0xc000000;
export const REGS = MEM + MEM_SIZE;
const END = REGS + REGS_SIZE;
/** Those of a second one: the first place that is free, at a multiple of their size. */
export const SECOND_REGS = END;

export function addressOf(region: Region, offset: number): number {
  return (region === 'mem' ? MEM : REGS) + offset;
}

interface Piece {
  readonly kind: 'mem' | 'regs' | 'nothing';
  /** Guest-physical address. */
  readonly from: number;
  /** Offset in the bytes that are read or written. */
  readonly at: number;
  readonly size: number;
}

/** Splits an access as QEMU does (system/physmem.c: flatview_read_continue, memory_access_size). */
export function* pieces(address: number, length: number): Generator<Piece> {
  for (let at = 0; at < length; ) {
    const from = address + at;
    const left = length - at;
    const kind = from < MEM || from >= END ? 'nothing' : from < REGS ? 'mem' : 'regs';
    let size = left;
    if (from < MEM) size = Math.min(left, MEM - from);
    if (kind === 'mem') size = Math.min(left, REGS - from);
    if (kind === 'regs') size = powerOfTwo(Math.min(left, END - from, 8));
    yield { kind, from, at, size };
    at += size;
  }
}

function powerOfTwo(size: number): number {
  return size >= 8 ? 8 : size >= 4 ? 4 : size >= 2 ? 2 : 1;
}

export function readBytes(bytes: Buffer, at: number, size: number): bigint {
  if (size === 8) return bytes.readBigUInt64LE(at);
  return BigInt(bytes.readUIntLE(at, size));
}

export function writeBytes(bytes: Buffer, at: number, size: number, value: bigint): void {
  if (size === 8) bytes.writeBigUInt64LE(value, at);
  else bytes.writeUIntLE(Number(value), at, size);
}
