// SPDX-License-Identifier: MIT
/** Finds the cache directory of the host's ccache. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { baseEnvironment } from '../../lib/environment.js';
import { which } from '../../lib/which.js';
import type { Services } from '../config/services.js';

/** Absolute; the default if ccache is not installed. */
export async function ccacheDirectory({
  environment,
  signal,
  processes,
}: Pick<Services, 'environment' | 'signal' | 'processes'>): Promise<string> {
  const given = environment['CCACHE_DIR'];
  if (given) return given;
  const env = baseEnvironment(environment);
  if (which('ccache', env['PATH']).found) {
    const asked = { file: 'ccache', args: ['--get-config', 'cache_dir'], env };
    const { exitCode, stdout } = await (await processes()).run(asked, { signal, capture: true });
    if (exitCode === 0 && stdout.trim().startsWith('/')) return stdout.trim();
  }
  return join(environment['XDG_CACHE_HOME'] || join(environment['HOME'] || homedir(), '.cache'), 'ccache');
}
