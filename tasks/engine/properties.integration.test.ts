// SPDX-License-Identifier: MIT
/** Random graphs, run for real: order, budget, and what is stale after any change. */
import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import * as fc from 'fast-check';
import { expect } from 'vitest';
import { type Sandbox, test } from '../../test/support/sandbox.js';
import { createExecutor } from './executor.js';
import type { Task } from './task.js';

/** For each task the numbers of its dependencies, all smaller than its own. */
const shapes = fc
  .array(fc.array(fc.nat(6), { maxLength: 3 }), { minLength: 1, maxLength: 7 })
  .map((shape) => shape.map((deps, index) => [...new Set(deps.filter((dep) => dep < index))]));

const sum = (texts: readonly string[]) => createHash('sha256').update(texts.join('\n')).digest('hex');

class World {
  readonly ran: number[] = [];
  running = 0;
  most = 0;
  private readonly inputs: string[];

  constructor(
    private readonly sandbox: Sandbox,
    private readonly name: string,
    readonly shape: readonly (readonly number[])[],
    readonly jobs: number,
  ) {
    this.inputs = shape.map((_, index) => `input ${index}`);
    for (const index of shape.keys()) this.edit(index, `input ${index}`);
  }

  edit(index: number, content: string): void {
    this.inputs[index] = content;
    this.sandbox.write(`${this.name}/in/${index}`, content);
  }

  removeOutput(index: number): void {
    rmSync(this.out(index));
  }

  /** What the output must be: said once more, without any graph. */
  expected(index: number): string {
    return sum([this.inputs[index] ?? '', ...(this.shape[index] ?? []).map((dep) => this.expected(dep))]);
  }

  outputs(): string[] {
    return this.shape.map((_, index) => readFileSync(this.out(index), 'utf8'));
  }

  /** The tasks themselves and everything that depends on them, near or far. */
  affected(changed: readonly number[]): number[] {
    const all = new Set(changed);
    for (const [index, deps] of this.shape.entries()) if (deps.some((dep) => all.has(dep))) all.add(index);
    return [...all].sort((a, b) => a - b);
  }

  async run(): Promise<void> {
    this.ran.length = 0;
    expect(await this.executor().run(this.tasks(), [])).toEqual([]);
  }

  async stale(): Promise<number[]> {
    const statuses = await this.executor().analyse(this.tasks(), []);
    return statuses
      .filter(({ fresh }) => !fresh)
      .map(({ name }) => Number(name.slice(1)))
      .sort((a, b) => a - b);
  }

  private out(index: number): string {
    return this.sandbox.path(this.name, 'work', `out-${index}`);
  }

  private executor() {
    return createExecutor({
      processes: this.sandbox.processes,
      workdir: this.sandbox.path(this.name, 'work'),
      jobs: this.jobs,
      emit: () => {},
      signal: this.sandbox.signal,
      baseEnv: this.sandbox.env,
    });
  }

  private tasks(): Task[] {
    return this.shape.map((deps, index) => ({
      name: `t${index}`,
      title: `t${index}`,
      deps: deps.map((dep) => `t${dep}`),
      inputs: { files: [this.sandbox.path(this.name, 'in', String(index))] },
      outputs: [this.out(index)],
      jobs: 'one',
      run: async () => {
        this.most = Math.max(this.most, ++this.running);
        // A dependency that has not run: its output is missing, or an old one, and the sum is wrong.
        const texts = deps.map((dep) => readFileSync(this.out(dep), 'utf8'));
        await sleep(2);
        const input = readFileSync(this.sandbox.path(this.name, 'in', String(index)), 'utf8');
        writeFileSync(this.out(index), sum([input, ...texts]));
        this.ran.push(index);
        this.running--;
      },
    }));
  }
}

test('any graph: order and budget are kept, all is fresh afterwards, and a change reaches exactly its dependents', async ({
  sandbox,
}) => {
  let count = 0;
  const edits = fc.array(fc.record({ task: fc.nat(6), content: fc.constantFrom('x', 'y', 'z') }), {
    minLength: 1,
    maxLength: 2,
  });
  await fc.assert(
    fc.asyncProperty(
      shapes,
      fc.integer({ min: 1, max: 3 }),
      edits,
      fc.nat(6),
      async (shape, jobs, changes, gone) => {
        const world = new World(sandbox, `world${++count}`, shape, jobs);
        const wanted = () => shape.map((_, index) => world.expected(index));
        expect(await world.stale()).toEqual([...shape.keys()]);
        await world.run();
        expect(world.ran.toSorted((a, b) => a - b)).toEqual([...shape.keys()]);
        expect(world.outputs()).toEqual(wanted());
        expect(await world.stale()).toEqual([]);

        const changed = [...new Set(changes.map(({ task }) => task % shape.length))];
        for (const { task, content } of changes) world.edit(task % shape.length, content);
        expect(await world.stale()).toEqual(world.affected(changed));
        await world.run();
        expect(world.ran.toSorted((a, b) => a - b)).toEqual(world.affected(changed));
        expect(world.outputs()).toEqual(wanted());
        expect(await world.stale()).toEqual([]);

        world.removeOutput(gone % shape.length);
        expect(await world.stale()).toEqual(world.affected([gone % shape.length]));
        await world.run();
        // Made again just as it was, so that its dependents stay.
        expect(world.ran).toEqual([gone % shape.length]);
        expect(world.outputs()).toEqual(wanted());
        expect(world.most).toBeLessThanOrEqual(jobs);
      },
    ),
    { numRuns: 25 },
  );
});
