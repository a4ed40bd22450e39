// SPDX-License-Identifier: MIT
/** `npm run bench -- cache`: what compile caches save and cost, each time in an empty work directory. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { $ } from 'zx';
import type { RunReport } from '../../vm/report/report.js';
import { BUILD, type Server, startRedis } from '../support/cache-servers.js';

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
  const all = async (env: Readonly<Record<string, string>>): Promise<Run> => {
    rmSync(work, { recursive: true, force: true });
    const started = performance.now();
    // The shell has the times of all that it waited for, and what they waited for.
    const { stdout } = await $({
      cwd: copy,
      env: { ...process.env, CCACHE_DIR: local, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    })`sh -c ${'"$@" >/dev/null || exit; times'} sh ${process.execPath} dist/stopwatch.js all --workdir ${work}`;
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

  const empty = (): void => rmSync(local, { recursive: true, force: true });
  let redis: Server | undefined;
  const shared = () => ({
    STOPWATCH_CACHE_REMOTE: redis?.address ?? '',
    STOPWATCH_CACHE_USER: BUILD.user,
    STOPWATCH_CACHE_PASSWORD: BUILD.password,
  });
  const emptyRedis = async (): Promise<void> => {
    await redis?.stop();
    redis = undefined;
    rmSync(join(scratch, 'redis'), { recursive: true, force: true });
    redis = await startRedis(join(scratch, 'redis'));
  };

  try {
    const cold: Record<'without' | 'local' | 'shared', Run[]> = { without: [], local: [], shared: [] };
    // In turn: what a machine does beside, or the host of a virtual one, comes to all of them.
    for (let round = 0; round < repeat; round++) {
      cold.without.push(await all({ STOPWATCH_BUILD_CCACHE: 'off' }));
      empty();
      cold.local.push(await all({}));
      empty();
      await emptyRedis();
      cold.shared.push(await all(shared()));
    }
    const without = fastest(cold.without);
    const more = (run: Run): string =>
      `: ${(100 * (run.seconds / without.seconds - 1)).toFixed(1)} % more, wanted 10 % at most`;
    show('cold all, without ccache', '', without);
    show('cold all, filling an empty local cache', more(fastest(cold.local)), fastest(cold.local));
    show('cold all, filling a shared cache too', more(fastest(cold.shared)), fastest(cold.shared));

    const warm: Record<'local' | 'shared', Run[]> = { local: [], shared: [] };
    for (let round = 0; round < repeat; round++) {
      warm.local.push(await all({}));
      empty();
      warm.shared.push(await all(shared()));
    }
    show('empty work directory, warm local ccache', ', wanted 60 s', fastest(warm.local));
    show('empty work directory and local ccache, warm Redis', ', wanted 80 s', fastest(warm.shared));
    process.stdout.write(`\nOf ${repeat} runs each, the fastest.\n`);
  } finally {
    await redis?.stop();
  }
}

function show(what: string, wanted: string, { seconds, processorSeconds, use }: Run): void {
  const hits = use === null ? '' : `, ${use.hits} hits and ${use.misses} misses`;
  process.stdout.write(
    `${what.padEnd(58)} ${seconds.toFixed(1).padStart(6)} s, processors ${processorSeconds.toFixed(0)} s${hits}${wanted}\n`,
  );
}

function fastest(runs: readonly Run[]): Run {
  const [run] = runs.toSorted((a, b) => a.seconds - b.seconds);
  if (run === undefined) throw new Error('Expected a run');
  return run;
}
