// SPDX-License-Identifier: MIT
/** The environment of every build tool: what it needs, and nothing that changes its result. */

/** Passed on from the user's environment when set. The XDG directories are where ccache keeps its configuration and cache. */
const PASSED = ['PATH', 'HOME', 'USER', 'LOGNAME', 'TMPDIR', 'XDG_CACHE_HOME', 'XDG_CONFIG_HOME'] as const;

/**
 * Drops the user's CFLAGS, MAKEFLAGS, ARCH, CROSS_COMPILE, KBUILD_* and the like, so that two users' builds of the
 * same inputs are the same. Keeps CCACHE_*: they change how fast a build is, not its result.
 */
export function baseEnvironment(
  from: Readonly<Record<string, string | undefined>> = process.env,
): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of PASSED) {
    const value = from[name];
    if (value !== undefined && value !== '') env[name] = value;
  }
  for (const [name, value] of Object.entries(from)) {
    if (name.startsWith('CCACHE_') && value !== undefined) env[name] = value;
  }
  env['PATH'] ??= '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin';
  env['HOME'] ??= '/';
  env['TMPDIR'] ??= '/tmp';
  env['LC_ALL'] = 'C';
  env['TZ'] = 'UTC';
  env['TERM'] = 'dumb';
  return env;
}
