// SPDX-License-Identifier: MIT
/** The page's script: keeps timeline, list and details on the same row. */
import { details } from './details.js';
import { find } from './dom.js';
import { EventList } from './list.js';
import { Model, secondsOf } from './model.js';
import { Timeline } from './timeline.js';
import { unpack } from './unpack.js';

class Page {
  readonly #model: Model;
  readonly #timeline: Timeline | undefined;
  readonly #list: EventList | undefined;
  #picked = -1;

  constructor(model: Model) {
    this.#model = model;
    const canvas = find('lanes', HTMLCanvasElement);
    const range = find('range', HTMLElement);
    if (canvas !== undefined) {
      this.#timeline = new Timeline(canvas, model, {
        onPick: (row) => this.pick(row),
        onView: ({ from, to }) =>
          range?.replaceChildren(`${secondsOf(Math.max(0, from))} to ${secondsOf(to)}`),
      });
      canvas.addEventListener('keydown', (event) => {
        if (this.#key(event)) event.preventDefault();
      });
    }
    const list = find('list', HTMLElement);
    if (list !== undefined) this.#list = new EventList(list, model, (row) => this.pick(row));
    this.#wire();
  }

  start(): void {
    const { focus } = this.#model;
    this.#timeline?.fit();
    this.#filter();
    if (focus === null) return;
    this.pick(focus, 'center');
  }

  pick(row: number, center: 'center' | 'if hidden' = 'if hidden'): void {
    this.#picked = row;
    this.#timeline?.pick(row, center);
    this.#list?.pick(row);
    find('details', HTMLElement)?.replaceChildren(...details(this.#model, row, (other) => this.pick(other)));
  }

  #step(by: number): void {
    this.pick(Math.min(this.#model.length - 1, Math.max(0, this.#picked + by)));
  }

  #wire(): void {
    const { focus } = this.#model;
    const actions: Readonly<Record<string, () => void>> = {
      in: () => this.#timeline?.zoom(2),
      out: () => this.#timeline?.zoom(0.5),
      fit: () => this.#timeline?.fit(),
      previous: () => this.#step(-1),
      next: () => this.#step(1),
      focus: () => focus !== null && this.pick(focus, 'center'),
    };
    for (const button of document.querySelectorAll<HTMLButtonElement>('button[data-do]')) {
      const action = actions[button.dataset['do'] ?? ''];
      if (action !== undefined) button.addEventListener('click', action);
      if (button.dataset['do'] === 'focus') button.hidden = focus === null;
    }
    const form = find('filter', HTMLFormElement);
    form?.addEventListener('submit', (event) => event.preventDefault());
    form?.addEventListener('input', () => this.#filter());
  }

  #filter(): void {
    const words = find('words', HTMLInputElement)?.value ?? '';
    const show = find('show', HTMLSelectElement)?.value ?? 'all';
    const count = this.#list?.filter(words, show) ?? 0;
    find('count', HTMLElement)?.replaceChildren(
      count === this.#model.length ? '' : `${count} of ${this.#model.length} rows`,
    );
  }

  /** Handles a key on the timeline; returns whether it was used. */
  #key({ key, ctrlKey, metaKey, altKey }: KeyboardEvent): boolean {
    if (ctrlKey || metaKey || altKey) return false;
    const { focus } = this.#model;
    const actions: Readonly<Record<string, () => void>> = {
      ArrowLeft: () => this.#timeline?.pan(-0.15),
      ArrowRight: () => this.#timeline?.pan(0.15),
      '+': () => this.#timeline?.zoom(1.5),
      '=': () => this.#timeline?.zoom(1.5),
      '-': () => this.#timeline?.zoom(1 / 1.5),
      '0': () => this.#timeline?.fit(),
      ',': () => this.#step(-1),
      '.': () => this.#step(1),
      f: () => focus !== null && this.pick(focus, 'center'),
    };
    const action = actions[key];
    action?.();
    return action !== undefined;
  }
}

const page = new Page(new Model(await unpack('data')));
page.start();
performance.mark('ready');
document.documentElement.dataset['ready'] = 'true';
