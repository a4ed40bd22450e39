// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { expect } from 'vitest';
import { type Sandbox, test, until } from '../../test/support/sandbox.js';
import { createJobserver, type JobBudget } from './jobserver.js';
import { versionAtLeast } from './tools.js';

/** Whether this host's program is one that knows a FIFO; Debian 12 has neither. */
const knowsFifo = (program: string, from: string): boolean =>
  versionAtLeast(execFileSync(program, ['--version'], { encoding: 'utf8' }), from);
const NEWER = knowsFifo('make', '4.4') && knowsFifo('ninja', '1.13');

const MAKEFILE = `
all: a b
a b:
\t+@$(MAKE) --no-print-directory -f Makefile part-$@
part-a: $(foreach n,1 2 3 4 5 6,x$(n))
part-b: $(foreach n,1 2 3 4 5 6,y$(n))
x% y%:
\t@job 0.05
`;

function budgetOf(sandbox: Sandbox, total: number, signal = sandbox.signal): Promise<JobBudget> {
  return createJobserver({
    total,
    path: sandbox.path('run/jobserver'),
    processes: sandbox.processes,
    signal,
  });
}

/** Runs make as a task does: one token of its own, the others from the jobserver. */
async function make(
  sandbox: Sandbox,
  budget: JobBudget,
  style: 'descriptor' | 'fifo' = 'descriptor',
): Promise<string[]> {
  const release = await budget.acquire(1);
  const close = budget.open();
  const share = budget.share(style);
  const lines: string[] = [];
  const exit = await sandbox.processes.run(
    { file: 'make', args: ['-f', 'Makefile'], cwd: sandbox.dir, env: { ...jobEnv(sandbox), ...share.env } },
    { ...sandbox, extra: share.extra, onLine: (line) => lines.push(line) },
  );
  share.close();
  close();
  release();
  expect({ exitCode: exit.exitCode, lines }).toEqual({ exitCode: 0, lines: [] });
  return lines;
}

function jobEnv(sandbox: Sandbox): Record<string, string> {
  return { ...sandbox.env, JOURNAL: sandbox.path('journal') };
}

/** How many jobs ran, and how many at once at the most. */
function journal(sandbox: Sandbox): { jobs: number; most: number } {
  let now = 0;
  let most = 0;
  const lines = sandbox.read('journal').split('\n').filter(Boolean);
  for (const line of lines) {
    now += line === '+' ? 1 : -1;
    most = Math.max(most, now);
  }
  return { jobs: lines.length / 2, most };
}

/** Free tokens: what can be had at once. */
async function free(budget: JobBudget): Promise<number> {
  const releases: (() => void)[] = [];
  for (let count = 0; count < budget.total; count++) {
    const release = await Promise.race([
      budget.acquire(1),
      new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 300)),
    ]);
    if (release === undefined) break;
    releases.push(release);
  }
  for (const release of releases) release();
  return releases.length;
}

for (const total of [1, 2, 3, 5]) {
  test(`two makes and a task of a fixed share never run more than ${total} jobs at once`, async ({
    sandbox,
  }) => {
    sandbox.write('Makefile', MAKEFILE);
    const budget = await budgetOf(sandbox, total);
    const fixed = async () => {
      const count = Math.max(1, Math.floor(total / 2));
      const release = await budget.acquire(count);
      const script = `for i in 1 2 3 4 5 6 7 8; do echo x; done | xargs -P ${count} -n 1 sh -c 'job 0.05'`;
      const exit = await sandbox.processes.run(
        { file: 'sh', args: ['-c', script], env: jobEnv(sandbox) },
        sandbox,
      );
      release();
      expect(exit.exitCode).toBe(0);
    };
    await Promise.all([make(sandbox, budget), fixed(), make(sandbox, budget)]);
    const { jobs, most } = journal(sandbox);
    expect(jobs).toBe(12 * 2 + 8);
    expect(most).toBeLessThanOrEqual(total);
    // And the budget is used: else a -j1 would pass as well.
    expect(most).toBe(total);
    expect(await free(budget)).toBe(total);
    budget.close();
    expect(readdirSync(sandbox.path('run'))).toEqual([]);
  });
}

for (const total of [2, 3, 5]) {
  test.skipIf(!NEWER)(`make 4.4 and ninja 1.13 share ${total} jobs through the FIFO`, async ({ sandbox }) => {
    sandbox.write('Makefile', MAKEFILE);
    const builds = Array.from({ length: 12 }, (_, index) => `build z${index}: job\n`);
    sandbox.write('build.ninja', `rule job\n  command = job 0.05\n${builds.join('')}`);
    const budget = await budgetOf(sandbox, total);
    const ninja = async () => {
      const release = await budget.acquire(1);
      const close = budget.open();
      const share = budget.share('fifo');
      const exit = await sandbox.processes.run(
        { file: 'ninja', args: [], cwd: sandbox.dir, env: { ...jobEnv(sandbox), ...share.env } },
        sandbox,
      );
      share.close();
      close();
      release();
      expect(exit.exitCode).toBe(0);
    };
    await Promise.all([make(sandbox, budget, 'fifo'), ninja()]);
    const { jobs, most } = journal(sandbox);
    expect(jobs).toBe(12 * 2);
    expect(most).toBe(total);
    expect(await free(budget)).toBe(total);
    budget.close();
  });
}

test('a task that comes later gets its token although make takes all it can', async ({ sandbox }) => {
  // One make, not two below it: what a make below holds comes back only when it ends.
  const jobs = Array.from({ length: 60 }, (_, index) => `x${index}`).join(' ');
  sandbox.write('Makefile', `all: ${jobs}\nx%:\n\t@job 0.05\n`);
  const budget = await budgetOf(sandbox, 2);
  let made = false;
  const running = make(sandbox, budget).then(() => {
    made = true;
  });
  await until(() => {
    try {
      return journal(sandbox).most === 2;
    } catch {
      return false;
    }
  });
  const release = await budget.acquire(1);
  expect(made).toBe(false);
  release();
  await running;
  budget.close();
});

test('several tokens are taken together: two who want all do not wait for each other', async ({
  sandbox,
}) => {
  const budget = await budgetOf(sandbox, 4);
  const order: number[] = [];
  await Promise.all(
    [4, 3, 4, 2].map(async (count, index) => {
      const release = await budget.acquire(count);
      order.push(index);
      await new Promise((resolve) => setTimeout(resolve, 20));
      release();
      release();
    }),
  );
  expect(order).toEqual([0, 1, 2, 3]);
  expect(await free(budget)).toBe(4);
  budget.close();
});

test('the tokens of a make that was killed come back', async ({ sandbox }) => {
  sandbox.write('Makefile', 'all: a b c d\na b c d:\n\t@echo started; sleep 1000\n');
  const budget = await budgetOf(sandbox, 4);
  const release = await budget.acquire(1);
  const close = budget.open();
  const share = budget.share('descriptor');
  const child = await sandbox.processes.spawn(
    { file: 'make', args: [], cwd: sandbox.dir, env: { ...sandbox.env, ...share.env } },
    { ...sandbox, extra: share.extra, graceMs: 0 },
  );
  let started = 0;
  child.stdout?.on('data', (chunk: Buffer) => {
    started += chunk.toString().split('started').length - 1;
  });
  await until(() => started === 4);
  // Somebody waits for all of them already.
  const all = budget.acquire(4);
  child.kill('SIGKILL');
  await child.exited;
  share.close();
  close();
  release();
  (await all)();
  expect(await free(budget)).toBe(4);
  budget.close();
});

test('waiting for a token can be interrupted', async ({ sandbox }) => {
  const abort = new AbortController();
  const budget = await budgetOf(sandbox, 1, abort.signal);
  await budget.acquire(1);
  const waiting = budget.acquire(1);
  setTimeout(() => abort.abort(), 100);
  await expect(waiting).rejects.toMatchObject({ code: 'interrupted' });
  budget.close();
});

test('the FIFO of an earlier run is replaced', async ({ sandbox }) => {
  const first = await budgetOf(sandbox, 3);
  await first.acquire(3);
  const second = await budgetOf(sandbox, 3);
  expect(await free(second)).toBe(3);
  second.close();
});
