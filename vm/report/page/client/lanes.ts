// SPDX-License-Identifier: MIT
/** Draws lanes. The cost depends on the number of pixels, not of events. */
import type { Bar, Lane } from '../recording.js';
import { lowerBound, type Marks, type Model } from './model.js';

/** The area of a lane, and its mapping from time to pixels. */
export interface Area {
  readonly context: CanvasRenderingContext2D;
  readonly left: number;
  readonly width: number;
  readonly top: number;
  readonly height: number;
  readonly from: number;
  readonly to: number;
  readonly colours: Colours;
}

/** From the style sheet. */
export interface Colours {
  readonly text: string;
  readonly muted: string;
  readonly line: string;
  readonly good: string;
  readonly bad: string;
  readonly badFill: string;
  readonly odd: string;
  readonly read: string;
  readonly write: string;
  readonly fill: string;
  readonly states: readonly string[];
}

export function xOf({ left, width, from, to }: Area, time: number): number {
  return left + ((time - from) / (to - from)) * width;
}

export function timeAt({ left, width, from, to }: Area, x: number): number {
  return from + ((x - left) / width) * (to - from);
}

/** A box with a label, if that fits. */
function box(
  { context, top, height, colours, left, width }: Area,
  from: number,
  to: number,
  fill: string,
  label: string,
): void {
  const start = Math.max(left, from);
  const end = Math.min(left + width, to);
  if (end <= start) return;
  context.fillStyle = fill;
  context.fillRect(start, top, Math.max(1, end - start - 1), height);
  if (end - start < 16 || label === '') return;
  context.save();
  context.beginPath();
  context.rect(start, top, end - start - 3, height);
  context.clip();
  context.fillStyle = colours.text;
  context.fillText(label, start + 4, top + height / 2);
  context.restore();
}

/** One box from each time to the next; boxes narrower than a pixel are merged. */
function boxes(
  area: Area,
  times: readonly number[],
  end: number,
  show: (index: number) => readonly [fill: string, label: string],
): void {
  let index = Math.max(0, lowerBound(times, area.from) - 1);
  let start = xOf(area, times[index] ?? 0);
  while (index < times.length && start < area.left + area.width) {
    const stop = xOf(area, times[index + 1] ?? end);
    if (stop - start >= 1) {
      box(area, start, stop, ...show(index));
      start = stop;
      index += 1;
      continue;
    }
    area.context.fillStyle = area.colours.muted;
    area.context.fillRect(start, area.top, 1, area.height);
    start += 1;
    index = Math.max(index + 1, lowerBound(times, timeAt(area, start)) - 1);
  }
}

export function drawTests(area: Area, tests: readonly Bar[]): void {
  const { good, badFill, odd } = area.colours;
  const fills = { ok: good, 'not ok': badFill, skip: odd };
  boxes(
    area,
    tests.map(({ from }) => from),
    tests.at(-1)?.to ?? 0,
    (index) => {
      const { status = 'ok', name = '' } = tests[index] ?? {};
      return [fills[status], name];
    },
  );
}

const known = new WeakMap<Lane['values'], Lane['values']>();

/** The distinct values of a lane, in order of appearance. */
function namesOf(values: Lane['values']): Lane['values'] {
  const names = known.get(values) ?? [...new Set(values)];
  known.set(values, names);
  return names;
}

export function drawStates(area: Area, { times, values }: Lane, end: number): void {
  const { states, fill } = area.colours;
  const names = namesOf(values);
  const fillOf = (value: string): string =>
    names.length > states.length ? fill : (states[names.indexOf(value)] ?? fill);
  boxes(area, times, end, (index) => {
    const value = String(values[index] ?? '');
    return [fillOf(value), value];
  });
}

export function drawLevel(area: Area, { times, values }: Lane, end: number): void {
  const { context, top, height, left, width, colours } = area;
  const yOf = (index: number): number => (values[index] === '1' ? top + 2 : top + height - 2);
  context.strokeStyle = colours.text;
  context.beginPath();
  let index = Math.max(0, lowerBound(times, area.from) - 1);
  let x = Math.max(left, xOf(area, times[index] ?? 0));
  context.moveTo(x, yOf(index));
  while (index < times.length && x < left + width) {
    const next = xOf(area, times[index + 1] ?? end);
    if (next - x < 1 && index + 1 < times.length) {
      // Up and down within a pixel.
      context.moveTo(x, top + 2);
      context.lineTo(x, top + height - 2);
      x += 1;
      index = Math.max(index + 1, lowerBound(times, timeAt(area, x)) - 1);
      context.moveTo(x, yOf(index));
      continue;
    }
    const stop = Math.min(next, left + width);
    context.lineTo(stop, yOf(index));
    if (index + 1 < times.length && next <= left + width) context.lineTo(stop, yOf(index + 1));
    x = next;
    index += 1;
  }
  context.stroke();
}

/** Draws the lowest and highest value per pixel column, scaled to the visible range. */
export function drawNumber(area: Area, { times, values }: Lane): void {
  const { context, top, height, left, width, colours } = area;
  const first = Math.max(0, lowerBound(times, area.from) - 1);
  const behind = Math.min(times.length, lowerBound(times, area.to) + 1);
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let index = first; index < behind; index++) {
    const value = values[index];
    if (typeof value !== 'number') continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) return;
  const yOf = (value: number): number =>
    top + height - 2 - ((value - low) / (high - low || 1)) * (height - 4);
  context.strokeStyle = colours.read;
  context.beginPath();
  let isDown = false;
  let column = Number.NEGATIVE_INFINITY;
  let [min, max, last] = [0, 0, 0];
  const flush = (): void => {
    if (!Number.isFinite(column)) return;
    context.moveTo(column, min);
    context.lineTo(column, Math.max(max, min + 0.5));
    context.moveTo(column, last);
  };
  for (let index = first; index < behind; index++) {
    const value = values[index];
    const x = Math.min(Math.max(xOf(area, times[index] ?? 0), left - width), left + 2 * width);
    if (typeof value !== 'number') {
      isDown = false;
    } else {
      const y = yOf(value);
      if (isDown && x - column < 1) {
        min = Math.min(min, y);
        max = Math.max(max, y);
        last = y;
      } else {
        flush();
        if (isDown) context.lineTo(x, y);
        else context.moveTo(x, y);
        isDown = true;
        column = x;
        min = y;
        max = y;
        last = y;
      }
    }
  }
  flush();
  context.stroke();
}

/** Draws reads from the top, writes from the bottom, others over the full height; more marks per column are darker. */
export function drawMarks(area: Area, { times, rows }: Marks, model: Model): void {
  const { context, top, height, left, width, colours } = area;
  const first = lowerBound(times, area.from);
  const last = lowerBound(times, area.to);
  if (last - first > width * 2) {
    context.fillStyle = colours.muted;
    let at = first;
    for (let x = 0; x < width; x++) {
      const next = lowerBound(times, timeAt(area, left + x + 1));
      const count = next - at;
      at = next;
      if (count === 0) continue;
      const tall = height * Math.min(1, 0.25 + Math.log2(count + 1) / 10);
      context.fillRect(left + x, top + height - tall, 1, tall);
    }
    return;
  }
  const half = height / 2;
  for (let index = first; index < last; index++) {
    const mark = model.mark(rows[index] ?? 0);
    const x = xOf(area, times[index] ?? 0) - 0.75;
    if (mark === 'read') {
      context.fillStyle = colours.read;
      context.fillRect(x, top, 1.5, half);
    } else if (mark === 'write') {
      context.fillStyle = colours.write;
      context.fillRect(x, top + half, 1.5, half);
    } else {
      context.fillStyle = mark === 'console' ? colours.muted : colours.text;
      context.fillRect(x, top, 1.5, height);
    }
  }
}

const STEPS = [1, 2, 5];

/** Draws the time axis, with a tick about every 90 pixels. */
export function drawAxis(area: Area, bottom: number): void {
  const { context, top, height, width, from, to, colours } = area;
  const least = ((to - from) * 90) / width;
  const power = 10 ** Math.floor(Math.log10(least));
  const step = (STEPS.find((one) => one * power >= least) ?? 10) * power;
  context.strokeStyle = colours.line;
  context.fillStyle = colours.muted;
  context.beginPath();
  for (let time = Math.ceil(from / step) * step; time <= to; time += step) {
    const x = Math.round(xOf(area, time)) + 0.5;
    context.moveTo(x, top + height - 4);
    context.lineTo(x, bottom);
    context.fillText(tickText(time, step), x + 3, top + height / 2);
  }
  context.stroke();
}

/** Formats a time with the precision of the step. */
function tickText(time: number, step: number): string {
  const digits = Math.min(9, Math.max(0, 9 - Math.floor(Math.log10(step) + 1e-9)));
  return `${(time / 1e9).toFixed(digits)} s`;
}
