// SPDX-License-Identifier: MIT
/** What is to be done next, as saves and keys ask for it. */

export type Request =
  /** Empty: run again although nothing was saved. `at`: when the first of these files was saved, milliseconds. */
  | { readonly kind: 'run'; readonly saved: readonly string[]; readonly at: number }
  | { readonly kind: 'shell' }
  | { readonly kind: 'quit'; readonly interrupted: boolean };

/** Runs that wait are one run; to quit comes before everything else. */
export class RequestQueue {
  readonly #waiting: Request[] = [];
  #wake: (() => void)[] = [];

  add(request: Request): void {
    const run = this.#waiting.findIndex(({ kind }) => kind === 'run');
    const before = this.#waiting[run];
    if (request.kind === 'quit') this.#waiting.unshift(request);
    else if (request.kind === 'run' && before?.kind === 'run') {
      const saved = [...new Set([...before.saved, ...request.saved])].sort();
      this.#waiting[run] = { kind: 'run', saved, at: Math.min(before.at, request.at) };
    } else this.#waiting.push(request);
    for (const wake of this.#wake.splice(0)) wake();
  }

  /** The next one, as soon as there is one. */
  async take(): Promise<Request> {
    for (;;) {
      await this.some(() => true);
      const request = this.#waiting.shift();
      if (request !== undefined) return request;
    }
  }

  /** Resolves as soon as there is one of that kind. */
  async some(isMeant: (request: Request) => boolean): Promise<void> {
    while (!this.#waiting.some(isMeant)) {
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }
}
