// SPDX-License-Identifier: MIT
/** Simpler forms of an operation, for minimising a script. */
import { NS_PER_S } from '../contract/contract.js';
import type { Operation } from './script.js';

/** The simplest first. Each is smaller in one number, so that simplifying comes to an end. */
export function simpler(operation: Operation, before: Operation | undefined): readonly Operation[] {
  const forms: Operation[] = [];
  for (const at of earlier(operation.at, before?.at ?? 0)) forms.push({ ...operation, at });
  if (operation.op === 'write' || operation.op === 'corrupt')
    for (const value of smaller(operation.value)) forms.push({ ...operation, value });
  if (operation.op === 'request') {
    for (const ahead of smaller(operation.ahead)) forms.push({ ...operation, ahead });
    for (const count of halves(BigInt(operation.ago.length)))
      forms.push({ ...operation, ago: operation.ago.slice(0, Number(count)) });
  }
  if (operation.op === 'fill' && operation.byte > 1) forms.push({ ...operation, byte: 1 });
  if (operation.op === 'fill' || operation.op === 'peek')
    for (const length of shorter(operation.length)) forms.push({ ...operation, length });
  return forms;
}

/** At the time of the operation before, at a rounder time, or closer to the operation before. */
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
