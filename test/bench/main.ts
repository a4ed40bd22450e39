// SPDX-License-Identifier: MIT
/**
 * `npm run bench`: the figures that the README promises, each with the command
 * that was timed. Works on a copy of the checkout, so edits leave no trace.
 *
 *   npm run bench                 the warm figures; builds first if need be
 *   npm run bench -- --cold       a whole build in an empty work directory too
 *   npm run bench -- --dev        only what a developer waits for: saves inside `dev`, and `push`
 *   npm run bench -- cache        what compile caches save and cost: three cold builds and two warm ones, three times over
 *   npm run bench -- page          what the page of a run costs to make, to open, and to pan
 *   npm run bench -- --workdir D  use (and keep) this work directory
 */
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { $ } from 'zx';
import { bundled } from '../support/bundled.js';
import type { RunReport } from '../../vm/report/report.js';
import { benchCache } from './cache.js';
import { Running } from './saves.js';
import { benchStartUp } from './start-up.js';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    cold: { type: 'boolean', default: false },
    dev: { type: 'boolean', default: false },
    workdir: { type: 'string' },
    repeat: { type: 'string', default: '5' },
  },
});
$.verbose = false;
const repeat = Number(options.repeat);
const scratch = mkdtempSync(join(tmpdir(), 'stopwatch-bench-'));
const copy = join(scratch, 'stopwatch');
const work = resolve(options.workdir ?? join(scratch, 'work'));

interface Figure {
  readonly what: string;
  readonly command: string;
  readonly limit: string;
  readonly seconds: readonly number[];
}

/** What a run of the tool cost. */
interface Cost {
  readonly seconds: number;
  readonly peakMiB: number;
}

/** Runs the tool and takes its time and its own peak of memory; not that of compilers. */
async function stopwatch(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Cost> {
  const started = performance.now();
  const child = $({
    cwd: copy,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })`${process.execPath} dist/stopwatch.js ${args}`;
  let peak = 0;
  const sample = () => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      peak = Math.max(peak, Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0));
    } catch {
      // It has ended, or this is no Linux.
    }
  };
  const timer = setInterval(sample, 20);
  try {
    await child;
  } finally {
    clearInterval(timer);
  }
  return { seconds: (performance.now() - started) / 1000, peakMiB: peak / 1024 };
}

let peakMiB = 0;
async function measure(
  what: string,
  limit: string,
  args: readonly string[],
  times: number,
  before: () => void = () => {},
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const seconds: number[] = [];
  for (let round = 0; round < times; round++) {
    before();
    const cost = await stopwatch([...args, '--workdir', work], env);
    seconds.push(cost.seconds);
    peakMiB = Math.max(peakMiB, cost.peakMiB);
  }
  const settings = Object.entries(env).map(([name, value]) => `${name}=${value} `);
  print({ what, limit, command: `${settings.join('')}npx stopwatch ${args.join(' ')}`, seconds });
}

function print({ what, limit, command, seconds: taken }: Figure): void {
  const seconds = taken.toSorted((a, b) => a - b);
  const median = seconds[Math.floor(seconds.length / 2)] ?? Number.NaN;
  const spread =
    seconds.length > 1
      ? ` (${seconds[0]?.toFixed(2)} to ${seconds.at(-1)?.toFixed(2)}, ${seconds.length} times)`
      : '';
  process.stdout.write(
    `${what.padEnd(44)} ${median.toFixed(2).padStart(8)} s${spread}, wanted ${limit}\n    ${command}\n`,
  );
}

/** A boot of the test, in seconds: the process, and its VM phase. */
async function runTestQuit(): Promise<{ process: number; vm: number }> {
  const { seconds } = await stopwatch(['run-test-quit', '--workdir', work]);
  const report: RunReport = JSON.parse(readFileSync(join(work, 'reports', 'latest', 'report.json'), 'utf8'));
  return { process: seconds, vm: report.host.durationMs / 1000 };
}

async function exec(): Promise<number> {
  return (await stopwatch(['exec', '--quiet', '--workdir', work, '--', 'true'])).seconds;
}

/** A change that the compiler cannot see through: another comment would be the same object. */
let serial = 0;
function edit(file: string, line: (serial: number) => string): () => void {
  return () => {
    serial += 1;
    appendFileSync(join(copy, file), `${line(serial)}\n`);
  };
}

const device = edit(
  'device/stopwatch/stopwatch.c',
  (n) => `static const char stopwatch_bench_${n}[] __attribute__((used)) = "${n}";`,
);
const driver = edit(
  'driver/stopwatch/stopwatch_main.c',
  (n) => `static const char bench_${n}[] __used = "${n}";`,
);
const guest = edit('guest_fs/stopwatch/stopwatch_test.sh', (n) => `# ${n}`);
const model = edit('device/stopwatch/model/step.ts', (n) => `export const bench${n} = ${n};`);

async function measureCommands(): Promise<void> {
  await benchStartUp({ work, rounds: Math.max(repeat, 9), runTestQuit, exec });
  await measure('all, nothing changed', '2 s', ['all'], repeat);
  await measure('run-test-quit', '1.5 s', ['run-test-quit'], repeat);
  await measure('device/stopwatch/stopwatch.c saved, then all', '3 s', ['all'], repeat, device);
  await measure('driver/stopwatch/stopwatch_main.c saved, then all', '3 s', ['all'], repeat, driver);
  await measure('guest_fs/stopwatch/stopwatch_test.sh saved, then all', '2 s', ['all'], repeat, guest);
  await stopwatch(['all', '--driver', 'builtin', '--workdir', work]);
  await measure(
    'driver/stopwatch/stopwatch_main.c saved, built in',
    '7 s',
    ['all', '--driver', 'builtin'],
    repeat,
    driver,
  );
  await measure('status', '0.5 s', ['status'], repeat);
  // The module again, for what comes after.
  await stopwatch(['all', '--workdir', work]);
}

/** Saves this often, each time waiting for its verdict. */
const SAVES = 10;

async function measureSaves(): Promise<void> {
  const dev = new Running(['dev'], { cwd: copy, work });
  try {
    await dev.verdict();
    for (const [what, limit, save] of [
      ['guest_fs/stopwatch/stopwatch_test.sh', '1 s', guest],
      ['driver/stopwatch/stopwatch_main.c', '2.5 s', driver],
      ['device/stopwatch/stopwatch.c', '2 s', device],
      ['device/stopwatch/model/step.ts', '1 s', model],
    ] as const) {
      const seconds: number[] = [];
      for (let round = 0; round < SAVES; round++) seconds.push(await dev.save(save));
      print({ what: `${what} saved`, limit, command: 'npx stopwatch dev', seconds });
    }
  } finally {
    await dev.end();
  }
}

async function measurePushes(): Promise<void> {
  const vm = new Running(['run', '--serve'], { cwd: copy, work });
  try {
    await vm.shows(/stopwatch:~# $/);
    const push = ['push', 'stopwatch_module', '--test'];
    await measure('driver saved, pushed and tested in a running VM', '1.5 s', push, SAVES, driver);
    await measure('the same without building', '1.5 s', push, SAVES);
  } finally {
    await vm.end();
  }
}

async function measureAll(): Promise<void> {
  if (options.cold) {
    rmSync(work, { recursive: true, force: true });
    await measure('cold all, downloads there, no ccache', '300 s', ['all'], 1, undefined, {
      STOPWATCH_BUILD_CCACHE: 'off',
    });
  }
  await stopwatch(['all', '--workdir', work]);
  if (!options.dev) await measureCommands();
  await measureSaves();
  await measurePushes();
  process.stdout.write(
    `\nLargest memory of the tool itself: ${peakMiB.toFixed(0)} MiB, wanted below 250 MiB\n`,
  );
}

/** Makes the copy. */
async function prepare(): Promise<void> {
  const left = new Set(['.git', '.stopwatch', 'node_modules', work].map((name) => resolve(name)));
  cpSync('.', copy, { recursive: true, filter: (path) => !left.has(resolve(path)) });
  symlinkSync(resolve('node_modules'), join(copy, 'node_modules'));
  process.stdout.write(`${availableParallelism()} processors, Node ${process.version}\n\n`);
  await stopwatch(['prepare', '--workdir', join(scratch, 'downloads')]);
  rmSync(join(scratch, 'downloads'), { recursive: true, force: true });
}

try {
  if (positionals[0] === 'page') {
    await $({ stdio: 'inherit' })`${process.execPath} ${await bundled('test/bench/page.ts')}`;
  } else {
    await prepare();
    if (positionals[0] === 'cache') await benchCache({ copy, scratch, repeat: Math.min(repeat, 3) });
    else await measureAll();
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
