// SPDX-License-Identifier: MIT
/** A virtual list of rows: only visible rows have elements. */
import { CONSOLE_SOURCE } from '../page-data.js';
import { element } from './dom.js';
import { type Model, lowerBound } from './model.js';

/** Height of a row, CSS pixels; must match the style sheet. */
const HEIGHT = 22;
/** Extra rows above and below the visible ones. */
const SPARE = 10;

export class EventList {
  readonly #box: HTMLElement;
  readonly #inner = element('div', { role: 'presentation' });
  readonly #model: Model;
  readonly #onPick: (row: number) => void;
  /** The rows that pass the filter. */
  #rows: readonly number[];
  #picked: number | undefined;

  constructor(box: HTMLElement, model: Model, onPick: (row: number) => void) {
    this.#box = box;
    this.#model = model;
    this.#onPick = onPick;
    this.#rows = Array.from({ length: model.length }, (_, row) => row);
    box.replaceChildren(this.#inner);
    box.addEventListener('scroll', () => this.#render());
    box.addEventListener('keydown', (event) => this.#key(event));
    box.addEventListener('click', ({ target }) => {
      const row = target instanceof Element ? target.closest('[data-row]')?.getAttribute('data-row') : null;
      if (row != null) this.#onPick(Number(row));
    });
    new ResizeObserver(() => this.#render()).observe(box);
    this.#render();
  }

  /** Shows rows that contain all `words`. `show`: 'all', 'accesses', 'console', or the index of a device. Returns the number of rows. */
  filter(words: string, show: string): number {
    const wanted = words
      .toLowerCase()
      .split(/\s+/)
      .filter((word) => word !== '');
    const model = this.#model;
    const isShown = (row: number): boolean => {
      const source = model.source(row);
      if (show === 'all') return true;
      if (show === 'console') return source === CONSOLE_SOURCE;
      if (show === 'accesses') return source !== CONSOLE_SOURCE && model.mark(row) !== 'effect';
      return source === Number(show);
    };
    const fits = (row: number): boolean => {
      if (!isShown(row)) return false;
      if (wanted.length === 0) return true;
      const text = `${model.sourceName(row)} ${model.text(row)} ${model.raw(row)}`.toLowerCase();
      return wanted.every((word) => text.includes(word));
    };
    this.#rows = Array.from({ length: model.length }, (_, row) => row).filter(fits);
    this.#box.scrollTop = 0;
    if (this.#picked !== undefined) this.#reveal(this.#picked);
    this.#render();
    return this.#rows.length;
  }

  pick(row: number): void {
    this.#picked = row;
    this.#reveal(row);
    this.#render();
  }

  /** Scrolls to the row, or to its place if it is filtered out. */
  #reveal(row: number): void {
    const { scrollTop, clientHeight } = this.#box;
    const top = lowerBound(this.#rows, row) * HEIGHT;
    this.#inner.style.height = `${this.#rows.length * HEIGHT}px`;
    if (top < scrollTop || top + HEIGHT > scrollTop + clientHeight)
      this.#box.scrollTop = top - clientHeight / 2;
  }

  #render(): void {
    const { scrollTop, clientHeight } = this.#box;
    this.#inner.style.height = `${this.#rows.length * HEIGHT}px`;
    const first = Math.max(0, Math.floor(scrollTop / HEIGHT) - SPARE);
    const last = Math.ceil((scrollTop + clientHeight) / HEIGHT) + SPARE;
    this.#inner.replaceChildren(
      ...this.#rows.slice(first, last).map((row, index) => this.#item(row, first + index)),
    );
    const isThere = this.#picked !== undefined && document.getElementById(`row-${this.#picked}`) !== null;
    if (isThere) this.#box.setAttribute('aria-activedescendant', `row-${this.#picked}`);
    else this.#box.removeAttribute('aria-activedescendant');
  }

  #item(row: number, index: number): HTMLElement {
    const model = this.#model;
    const item = element(
      'div',
      {
        className: `row ${model.mark(row)}${model.isWrong(row) ? ' wrong' : ''}`,
        id: `row-${row}`,
        role: 'option',
        'data-row': String(row),
        'aria-selected': String(row === this.#picked),
        'aria-posinset': String(index + 1),
        'aria-setsize': String(this.#rows.length),
      },
      element('span', { className: 'time' }, (model.time(row) / 1e9).toFixed(9)),
      element('span', { className: 'source' }, model.sourceName(row)),
      element('span', { className: 'text' }, model.text(row)),
    );
    item.style.top = `${index * HEIGHT}px`;
    return item;
  }

  #key(event: KeyboardEvent): void {
    const last = this.#rows.length - 1;
    const at = this.#picked === undefined ? -1 : lowerBound(this.#rows, this.#picked);
    const page = Math.max(1, Math.floor(this.#box.clientHeight / HEIGHT) - 1);
    const to: Readonly<Record<string, number>> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: last,
    };
    const next = to[event.key];
    if (next === undefined || last < 0) return;
    event.preventDefault();
    const row = this.#rows[Math.min(last, Math.max(0, next))];
    if (row !== undefined) this.#onPick(row);
  }
}
