// SPDX-License-Identifier: MIT
/** Draws the run as lanes over virtual time on a canvas, with zoom, pan and picking. */
import type { Lane } from '../recording.js';
import {
  type Area,
  type Colours,
  drawAxis,
  drawLevel,
  drawMarks,
  drawNumber,
  drawStates,
  drawTests,
  timeAt,
  xOf,
} from './lanes.js';
import { lowerBound, type Marks, type Model, secondsOf, type Span, valueAt } from './model.js';

interface Strip {
  readonly label: string;
  readonly height: number;
  readonly isHead?: boolean;
  readonly lane?: Lane;
  /** The marks that a click on this lane can pick. */
  readonly marks?: Marks;
  readonly draw?: (area: Area) => void;
}

const AXIS = 22;
const HEAD = 24;
/** Below this width (CSS pixels), names are above the lanes instead of beside them. */
const NARROW = 640;
/** Shortest visible span, nanoseconds. */
const CLOSEST = 20;

export class Timeline {
  readonly #canvas: HTMLCanvasElement;
  readonly #model: Model;
  readonly #strips: readonly Strip[];
  readonly #onPick: (row: number) => void;
  readonly #onView: (view: Span) => void;
  readonly #pointers = new Map<number, number>();
  #colours: Colours;
  #view: Span;
  #picked: number | undefined;
  #hover: number | undefined;
  #moved = 0;
  #isDue = false;
  /** Width of the canvas, CSS pixels. */
  #width = 0;

  constructor(
    canvas: HTMLCanvasElement,
    model: Model,
    { onPick, onView }: { readonly onPick: (row: number) => void; readonly onView: (view: Span) => void },
  ) {
    this.#canvas = canvas;
    this.#model = model;
    this.#onPick = onPick;
    this.#onView = onView;
    this.#strips = stripsOf(model);
    this.#view = model.span;
    this.#colours = coloursOf(canvas);
    this.#listen();
    new ResizeObserver(() => this.#resize()).observe(canvas);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#recolour());
    // Print with the light colour scheme: see the style sheet.
    for (const [event, isPaper] of [
      ['beforeprint', true],
      ['afterprint', false],
    ] as const)
      addEventListener(event, () => {
        document.documentElement.toggleAttribute('data-paper', isPaper);
        this.#recolour();
      });
    this.#resize();
  }

  get view(): Span {
    return this.#view;
  }

  /** Shows the whole run. */
  fit(): void {
    this.#show(this.#model.span.from, this.#model.span.to);
  }

  /** Zooms by a factor, around `time`; by default around the picked row, or the middle. */
  zoom(by: number, time?: number): void {
    const { from, to } = this.#view;
    const picked = this.#picked === undefined ? undefined : this.#model.time(this.#picked);
    const isSeen = picked !== undefined && picked >= from && picked <= to;
    const at = time ?? (isSeen ? picked : (from + to) / 2);
    this.#show(at - (at - from) / by, at + (to - at) / by);
  }

  /** Pans by this fraction of the visible span. */
  pan(part: number): void {
    const { from, to } = this.#view;
    const step = (to - from) * part;
    this.#show(from + step, to + step);
  }

  /** `center`: moves to the row, and zooms in until its neighbours are distinguishable. */
  pick(row: number, center: 'center' | 'if hidden'): void {
    this.#picked = row;
    const time = this.#model.time(row);
    const { from, to } = this.#view;
    if (center === 'center') {
      const near = [row - 40, row + 40].map((one) =>
        Math.abs(this.#model.time(Math.min(this.#model.length - 1, Math.max(0, one))) - time),
      );
      const half = Math.max(...near, 1000);
      this.#show(time - half, time + half);
    } else if (time < from || time > to) {
      const half = (to - from) / 2;
      this.#show(time - half, time + half);
    }
    this.#draw();
  }

  #show(from: number, to: number): void {
    const { span } = this.#model;
    const width = Math.min(Math.max(to - from, CLOSEST), (span.to - span.from) * 1.04);
    const margin = width * 0.02;
    const start = Math.min(Math.max(from, span.from - margin), span.to + margin - width);
    this.#view = { from: start, to: start + width };
    this.#onView(this.#view);
    this.#draw();
  }

  get #gutter(): number {
    return this.#width < NARROW ? 0 : 190;
  }
  /** Height of the name above a lane; 0 if names are beside the lanes. */
  get #above(): number {
    return this.#gutter === 0 ? 14 : 0;
  }

  #area(top: number, height: number): Area {
    const context = this.#context();
    const left = this.#gutter;
    return { context, left, width: this.#width - left, top, height, ...this.#view, colours: this.#colours };
  }

  #context(): CanvasRenderingContext2D {
    const context = this.#canvas.getContext('2d');
    if (context === null) throw new Error('This browser has no canvas');
    return context;
  }

  #heightOf({ height, isHead }: Strip): number {
    return height + (isHead ? 0 : this.#above);
  }

  #resize(): void {
    const ratio = devicePixelRatio;
    this.#width = this.#canvas.clientWidth;
    const height = this.#strips.reduce((sum, strip) => sum + this.#heightOf(strip), AXIS) + 4;
    this.#canvas.style.height = `${height}px`;
    this.#canvas.width = Math.round(this.#width * ratio);
    this.#canvas.height = Math.round(height * ratio);
    this.#context().setTransform(ratio, 0, 0, ratio, 0, 0);
    this.#draw();
  }

  #recolour(): void {
    this.#colours = coloursOf(this.#canvas);
    this.#paint();
  }

  /** Draws at most once per frame. */
  #draw(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      this.#paint();
    });
  }

  #paint(): void {
    const context = this.#context();
    const { clientHeight } = this.#canvas;
    const { text, muted, line, bad, read } = this.#colours;
    context.clearRect(0, 0, this.#width, clientHeight);
    context.font = '12px system-ui, sans-serif';
    context.textBaseline = 'middle';
    drawAxis(this.#area(0, AXIS), clientHeight);
    const whole = this.#area(0, clientHeight);
    const at = this.#picked === undefined ? undefined : this.#model.time(this.#picked);
    let top = AXIS;
    for (const strip of this.#strips) {
      const height = this.#heightOf(strip);
      if (strip.isHead) {
        context.fillStyle = line;
        context.fillRect(0, top + 4, this.#width, 1);
        context.fillStyle = text;
        context.font = 'bold 12px system-ui, sans-serif';
        context.fillText(strip.label, 4, top + 6 + (height - 6) / 2);
        context.font = '12px system-ui, sans-serif';
      } else {
        const labelY = this.#gutter > 0 ? top + height / 2 : top + 8;
        context.fillStyle = muted;
        context.fillText(strip.label, 4, labelY, 90);
        if (strip.lane !== undefined && at !== undefined) {
          context.fillStyle = text;
          context.textAlign = 'right';
          context.fillText(
            valueAt(strip.lane, at),
            this.#gutter > 0 ? this.#gutter - 8 : this.#width - 4,
            labelY,
            110,
          );
          context.textAlign = 'left';
        }
        context.save();
        context.beginPath();
        context.rect(whole.left, top, whole.width, height);
        context.clip();
        strip.draw?.(this.#area(top + this.#above + 2, strip.height - 4));
        context.restore();
      }
      top += height;
    }
    if (at !== undefined) this.#vertical(whole, at, read, 1);
    const { focus } = this.#model;
    if (focus !== null) this.#vertical(whole, this.#model.time(focus), bad, 2);
    if (this.#hover !== undefined) {
      this.#vertical(whole, this.#hover, muted, 1);
      const label = secondsOf(this.#hover);
      const x = xOf(whole, this.#hover);
      context.fillStyle = text;
      context.textAlign = x > this.#width - 110 ? 'right' : 'left';
      context.fillText(label, x + (x > this.#width - 110 ? -4 : 4), AXIS + 6);
      context.textAlign = 'left';
    }
  }

  #vertical(area: Area, time: number, colour: string, width: number): void {
    const x = xOf(area, time);
    if (x < area.left - 1 || x > area.left + area.width) return;
    area.context.fillStyle = colour;
    area.context.fillRect(Math.round(x - width / 2), AXIS - 6, width, area.height);
  }

  #listen(): void {
    const canvas = this.#canvas;
    canvas.addEventListener('pointerdown', (event) => {
      canvas.focus({ preventScroll: true });
      canvas.setPointerCapture(event.pointerId);
      this.#pointers.set(event.pointerId, event.offsetX);
      if (this.#pointers.size === 1) this.#moved = 0;
    });
    canvas.addEventListener('pointermove', (event) => this.#move(event));
    canvas.addEventListener('pointerup', (event) => {
      const isClick = this.#pointers.size === 1 && this.#moved < 4;
      this.#pointers.delete(event.pointerId);
      if (isClick) this.#click(event.offsetX, event.offsetY);
    });
    canvas.addEventListener('pointercancel', (event) => this.#pointers.delete(event.pointerId));
    canvas.addEventListener('pointerleave', () => {
      this.#hover = undefined;
      this.#draw();
    });
    canvas.addEventListener('wheel', (event) => this.#wheel(event), { passive: false });
  }

  #move({ pointerId, offsetX }: PointerEvent): void {
    const area = this.#area(0, 0);
    const before = this.#pointers.get(pointerId);
    if (before === undefined) {
      this.#hover = offsetX > area.left ? timeAt(area, offsetX) : undefined;
      this.#draw();
      return;
    }
    this.#hover = undefined;
    this.#moved += Math.abs(offsetX - before);
    const other = [...this.#pointers].find(([id]) => id !== pointerId)?.[1];
    if (other === undefined) {
      // Ignore small movements: a finger trembles during a tap.
      if (this.#moved < 4) return;
      this.#pointers.set(pointerId, offsetX);
      this.pan((before - offsetX) / area.width);
      return;
    }
    this.#pointers.set(pointerId, offsetX);
    const [was, is] = [Math.abs(before - other), Math.abs(offsetX - other)];
    if (was > 8 && is > 8) this.zoom(is / was, timeAt(area, (offsetX + other) / 2));
  }

  /** Without Ctrl, the wheel zooms only while the canvas has the focus; otherwise it scrolls the page. */
  #wheel(event: WheelEvent): void {
    const { deltaX, deltaY, ctrlKey, shiftKey, offsetX } = event;
    const isPan = shiftKey || Math.abs(deltaX) > Math.abs(deltaY);
    const isOurs = ctrlKey || isPan || document.activeElement === this.#canvas;
    if (!isOurs) return;
    event.preventDefault();
    if (isPan) this.pan((deltaX || deltaY) / this.#width);
    else this.zoom(Math.exp(-deltaY / (ctrlKey ? 120 : 300)), timeAt(this.#area(0, 0), offsetX));
  }

  /** Picks the nearest row in the clicked lane, or in any lane. */
  #click(x: number, y: number): void {
    let top = AXIS;
    let marks: Marks | undefined;
    for (const strip of this.#strips) {
      if (y >= top && y < top + this.#heightOf(strip)) ({ marks } = strip);
      top += this.#heightOf(strip);
    }
    const time = timeAt(this.#area(0, 0), x);
    const candidates = marks === undefined ? [...this.#model.accesses, this.#model.console] : [marks];
    const nearest = candidates
      .flatMap(({ times, rows }) => {
        const after = lowerBound(times, time);
        return [after - 1, after].flatMap((index) => rows[index] ?? []);
      })
      .sort(
        (one, other) => Math.abs(this.#model.time(one) - time) - Math.abs(this.#model.time(other) - time),
      )[0];
    if (nearest !== undefined) this.#onPick(nearest);
  }
}

function stripsOf(model: Model): readonly Strip[] {
  const end = model.span.to;
  const devices = model.devices.flatMap(({ id, lanes, tests }, index): Strip[] => {
    const marks = model.accesses[index];
    if (marks === undefined) return [];
    return [
      { label: marks.rows.length > 0 ? id : `${id}: no events`, height: HEAD, isHead: true },
      ...(tests.length > 0
        ? [{ label: 'tests', height: 24, marks, draw: (area: Area) => drawTests(area, tests) }]
        : []),
      ...(marks.rows.length > 0
        ? [{ label: 'accesses', height: 26, marks, draw: (area: Area) => drawMarks(area, marks, model) }]
        : []),
      ...lanes.map((lane) => ({
        label: lane.name,
        height: lane.kind === 'number' ? 40 : 24,
        lane,
        marks,
        draw: (area: Area) => drawLane(area, lane, end),
      })),
    ];
  });
  const { console } = model;
  return [
    ...devices,
    { label: 'the machine', height: HEAD, isHead: true },
    { label: 'console', height: 22, marks: console, draw: (area) => drawMarks(area, console, model) },
  ];
}

function drawLane(area: Area, lane: Lane, end: number): void {
  if (lane.kind === 'level') drawLevel(area, lane, end);
  else if (lane.kind === 'number') drawNumber(area, lane);
  else drawStates(area, lane, end);
}

function coloursOf(canvas: HTMLCanvasElement): Colours {
  const style = getComputedStyle(canvas);
  const of = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    text: of('text'),
    muted: of('muted'),
    line: of('line'),
    good: of('good-fill'),
    bad: of('bad'),
    badFill: of('bad-fill'),
    odd: of('odd-fill'),
    read: of('read'),
    write: of('write'),
    fill: of('fill'),
    states: [1, 2, 3, 4, 5].map((number) => of(`state-${number}`)),
  };
}
