// SPDX-License-Identifier: MIT
/**
 * rngboi's contract: one register, each read of which gives a new random word.
 *
 * With a seed the words are those of splitmix64 (Steele, Lea, Flood 2014), the
 * high half of each number. Without one they come from the host.
 */

/** Bytes of the trapping region, `regs`. */
export const REGS_SIZE = 0x1000;
/** Offset of the one register. Takes aligned reads of 4 bytes, and refuses everything else. */
export const RNG0 = 0x0;
/** Bytes of the register. */
export const WORD_SIZE = 4;

/** Added to the generator's state for each word. */
export const STEP = 0x9e3779b97f4a7c15n;
const FIRST_FACTOR = 0xbf58476d1ce4e5b9n;
const SECOND_FACTOR = 0x94d049bb133111ebn;

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);

/** The generator's next state and word. */
export function nextWord(state: bigint): { readonly state: bigint; readonly word: bigint } {
  const next = u64(state + STEP);
  const first = u64((next ^ (next >> 30n)) * FIRST_FACTOR);
  const second = u64((first ^ (first >> 27n)) * SECOND_FACTOR);
  return { state: next, word: (second ^ (second >> 31n)) >> 32n };
}

/** Text of `driver/rngboi/rngboi_hw-sw.h`, which the device and the driver share. */
export function header(): string {
  return `/* SPDX-License-Identifier: GPL-2.0-or-later OR MIT */
/*
 * Hardware-software interface of rngboi, shared by the QEMU device and the
 * Linux driver. Generated from device/rngboi/contract.ts: edit that file, not
 * this one.
 */
#ifndef RNGBOI_HW_SW_H
#define RNGBOI_HW_SW_H

/* In the trapping region, "regs": a new random word at each 4-byte read */
#define RNGBOI_RNG0      0x${RNG0.toString(16).padStart(2, '0')}
#define RNGBOI_REGS_SIZE 0x${REGS_SIZE.toString(16)}

#endif /* RNGBOI_HW_SW_H */
`;
}
