// SPDX-License-Identifier: MIT
/** `npm run bench -- cache`: what compile caches save and cost, each time in an empty work directory. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { $ } from 'zx';
import type { RunReport } from '../../vm/report.js';
import { BUILD, startRedis } from '../support/cache-servers.js';

export interface CacheBench {
  /** Directory of the copy that is run. */
  readonly copy: string;
  readonly scratch: string;
  readonly repeat: number;
}

interface Run {
  readonly seconds: number;
  /** User and system, of the tool and all that it ran. */
  readonly processorSeconds: number;
  readonly use: RunReport['host']['compileCache'];
}

export async function benchCache({ copy, scratch, repeat }: CacheBench): Promise<void> {
  const work = join(scratch, 'cache-work');
  const local = join(scratch, 'ccache');
  const redis = await startRedis(join(scratch, 'redis'));
  const shared = {
    STOPWATCH_CACHE_REMOTE: redis.address,
    STOPWATCH_CACHE_USER: BUILD.user,
    STOPWATCH_CACHE_PASSWORD: BUILD.password,
  };

  const all = async (env: Readonly<Record<string, string>>): Promise<Run> => {
    rmSync(work, { recursive: true, force: true });
    const started = performance.now();
    // The shell has the times of all that it waited for, and what they waited for.
    const { stdout } = await $({
      cwd: copy,
      env: { ...process.env, CCACHE_DIR: local, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    })`sh -c ${'"$@" >/dev/null || exit; times'} sh ${process.execPath} dist/tasks/cli/main.js all --workdir ${work}`;
    const seconds = (performance.now() - started) / 1000;
    const children = stdout.trim().split('\n').at(-1) ?? '';
    const processorSeconds = [...children.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
      (sum, [, minutes, rest]) => sum + 60 * Number(minutes) + Number(rest),
      0,
    );
    const report: RunReport = JSON.parse(
      readFileSync(join(work, 'reports', 'latest', 'report.json'), 'utf8'),
    );
    return { seconds, processorSeconds, use: report.host.compileCache };
  };

  const several = async (
    what: string,
    limit: string,
    env: Record<string, string>,
    before = (): void => {},
  ) => {
    const runs: Run[] = [];
    for (let round = 0; round < repeat; round++) {
      before();
      runs.push(await all(env));
    }
    show(what, `, wanted ${limit}${repeat > 1 ? ` (median of ${repeat})` : ''}`, median(runs));
  };
  const empty = (): void => rmSync(local, { recursive: true, force: true });

  try {
    const without = await all({ STOPWATCH_BUILD_CCACHE: 'off' });
    show('cold all, without ccache', '', without);
    empty();
    const filling = await all(shared);
    const more = (100 * (filling.seconds / without.seconds - 1)).toFixed(1);
    show(
      'cold all, filling an empty local and an empty shared cache',
      `: ${more} % more, wanted 10 % at most`,
      filling,
    );
    await several('empty work directory, warm local ccache', '60 s', {});
    await several('empty work directory and local ccache, warm Redis', '80 s', shared, empty);
  } finally {
    await redis.stop();
  }
}

function show(what: string, wanted: string, { seconds, processorSeconds, use }: Run): void {
  const hits = use === null ? '' : `, ${use.hits} hits and ${use.misses} misses`;
  process.stdout.write(
    `${what.padEnd(58)} ${seconds.toFixed(1).padStart(6)} s, processors ${processorSeconds.toFixed(0)} s${hits}${wanted}\n`,
  );
}

function median(runs: readonly Run[]): Run {
  const run = [...runs].sort((a, b) => a.seconds - b.seconds)[Math.floor(runs.length / 2)];
  if (run === undefined) throw new Error('Expected a run');
  return run;
}
