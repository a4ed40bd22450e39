// SPDX-License-Identifier: MIT
/** Collects the values of a device over time. */
import type { Words } from '../../crosscheck/index.js';
import type { Lane } from './recording.js';
import { visible } from './text.js';

/** '1501000000 ns', '3' */
const NUMBER = /^(-?\d{1,21})(?: (\S{1,8}))?$/;
/** Name of the lane; it cannot collide with a name of the state, which has no space. */
const INTERRUPT = 'interrupt line';

interface Points {
  readonly times: number[];
  readonly values: string[];
  /** Time at which the last value was last confirmed. */
  seen: number;
}

export class Lanes {
  readonly #lanes = new Map<string, Points>();

  /** Records the state at a time. Times must not decrease. */
  put(time: number, words: Words): void {
    for (const [name, value] of Object.entries(words)) this.#put(name, time, value);
  }

  /** Records a state whose transition is unknown: the previous value holds until this time. */
  hold(time: number, words: Words): void {
    for (const [name, value] of Object.entries(words)) {
      this.#put(name, time, this.#lanes.get(name)?.values.at(-1) ?? value);
      this.#put(name, time, value);
    }
  }

  /** Records the level of the interrupt line. */
  level(time: number, level: boolean): void {
    this.#put(INTERRUPT, time, level ? '1' : '0');
  }

  #put(name: string, time: number, text: string): void {
    let points = this.#lanes.get(name);
    if (points === undefined) {
      points = { times: [], values: [], seen: time };
      this.#lanes.set(name, points);
    }
    const value = visible(text, 100);
    const { times, values, seen } = points;
    points.seen = time;
    const last = values.at(-1);
    if (last === value) return;
    // Add a point, so that the interpolated line stays flat up to here.
    if (last !== undefined && seen !== times.at(-1)) {
      times.push(seen);
      values.push(last);
    }
    times.push(time);
    values.push(value);
  }

  /** Drops everything before this time. */
  trim(from: number): void {
    for (const { times, values } of this.#lanes.values()) {
      const first = times.findIndex((time) => time >= from);
      const kept = first < 0 ? times.length - 1 : Math.max(0, first - 1);
      times.splice(0, kept);
      values.splice(0, kept);
    }
  }

  end(): readonly Lane[] {
    return [...this.#lanes].map(([name, points]) => laneOf(name, points));
  }
}

function laneOf(name: string, { times, values, seen }: Points): Lane {
  if (name === INTERRUPT) {
    // Before its first edge, the line has the opposite level.
    const before = values[0] === '1' ? '0' : '1';
    return { name, kind: 'level', unit: '', ...changes([0, ...times], [before, ...values]) };
  }
  const units = new Set(
    values
      .filter((value) => value !== 'none')
      .map((value) => NUMBER.exec(value)?.[2] ?? (NUMBER.test(value) ? '' : '?')),
  );
  const [unit = '?'] = units;
  if (units.size !== 1 || unit === '?') return { name, kind: 'state', unit: '', ...changes(times, values) };
  const numbers = values.map((value) => (value === 'none' ? null : Number.parseInt(value, 10)));
  const last = numbers.at(-1) ?? null;
  return { name, kind: 'number', unit, times: [...times, seen], values: [...numbers, last] };
}

/** Removes points at which nothing changes. */
function changes(times: readonly number[], values: readonly string[]): Pick<Lane, 'times' | 'values'> {
  const kept = values.flatMap((value, index) => (index > 0 && values[index - 1] === value ? [] : [index]));
  return { times: kept.map((index) => times[index] ?? 0), values: kept.map((index) => values[index] ?? '') };
}
