// SPDX-License-Identifier: MIT
/** Simpler forms of an operation, for the shortest script that shows a difference. */
import { NS_PER_S } from '../contract.js';
import type { Operation } from './script.js';

/** The simplest first. Each is simpler by the same measure, so that making things simpler comes to an end. */
export function simpler(operation: Operation, before: Operation | undefined): readonly Operation[] {
  const forms: Operation[] = [];
  const earliest = before?.at ?? 0;
  for (const at of earlier(operation.at, earliest)) forms.push({ ...operation, at });
  switch (operation.op) {
    case 'write':
    case 'forge':
      for (const value of smaller(operation.value)) forms.push({ ...operation, value });
      break;
    case 'fill':
      if (operation.byte > 1) forms.push({ ...operation, byte: 1 });
      for (const length of shorter(operation.length)) forms.push({ ...operation, length });
      break;
    case 'peek':
      for (const length of shorter(operation.length)) forms.push({ ...operation, length });
      break;
    case 'read':
    case 'tick':
    case 'mem':
    case 'reset':
    case 'stop':
    case 'cont':
    case 'save':
    case 'reload':
    default:
      break;
  }
  return forms;
}

/** As soon as the operation before, else a rounder time, else as far towards it as goes. */
function earlier(at: number, earliest: number): number[] {
  const second = Number(NS_PER_S);
  const whole = Math.floor(at / second) * second;
  const rounder = [earliest, earliest + 1, whole, at - second, at - 10 * second];
  const closer = halves(BigInt(at - earliest)).map((ns) => earliest + Number(ns));
  return [...new Set([...rounder, ...closer])].filter((one) => one >= earliest && one < at);
}

function smaller(value: bigint): bigint[] {
  return [...new Set([0n, 1n, ...halves(value)])].filter((one) => one < value);
}

function shorter(length: number): number[] {
  return [...new Set([1, ...halves(BigInt(length)).map(Number)])].filter((one) => one >= 1 && one < length);
}

/** 0, a half, three quarters, … and one less than the value. */
function halves(value: bigint): bigint[] {
  const all: bigint[] = [];
  for (let less = value; less > 0n; less /= 2n) all.push(value - less);
  return all;
}
