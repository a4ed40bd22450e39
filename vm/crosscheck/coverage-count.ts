// SPDX-License-Identifier: MIT
/** Measures coverage of a device: accesses to its registers, their widths, and the contract's decisions. */
import { registerAt } from './register-at.js';
import type { Access, CheckedRegister, Covered } from './types.js';

export class CoverageCount {
  readonly #groups: ReadonlyMap<string, readonly string[]>;
  readonly #registers: readonly CheckedRegister[];
  readonly #decisions: readonly string[];
  readonly #touched = new Set<string>();

  constructor({
    registers = [],
    decisions = [],
  }: {
    readonly registers?: readonly CheckedRegister[] | undefined;
    readonly decisions?: readonly string[] | undefined;
  }) {
    this.#registers = registers;
    this.#decisions = decisions;
    const kinds = (['read', 'write'] as const).map((direction) => {
      const used = registers.filter((register) => register[direction].length > 0);
      return used.map(({ name }) => `${name} ${direction}s`);
    });
    const widths = new Set(registers.flatMap(({ read, write }) => [...read, ...write]));
    const accesses = kinds.flat();
    this.#groups = new Map([
      ['accesses', accesses],
      ['widths', [...widths].map((width) => `${width}-byte accesses`)],
      ['decisions', decisions],
    ]);
  }

  access({ direction, offset, size }: Access): void {
    const register = registerAt(this.#registers, offset);
    if (register?.[direction].includes(size) !== true) return;
    this.#touched.add(`${register.name} ${direction}s`);
    this.#touched.add(`${size}-byte accesses`);
  }

  decision(index: number): void {
    this.#touched.add(this.#decisions[index] ?? '');
  }

  get result(): Covered {
    const groups = [...this.#groups].filter(([, names]) => names.length > 0);
    return {
      groups: groups.map(([group, names]) => {
        const missing = names.filter((name) => !this.#touched.has(name));
        return { group, touched: names.length - missing.length, all: names.length, missing };
      }),
    };
  }
}
