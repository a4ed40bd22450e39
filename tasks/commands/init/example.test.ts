// SPDX-License-Identifier: MIT
/** examples/: that the patch still fits. What it does is test/e2e/own-device.test.ts's. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadDevices } from '../../cli/devices.js';
import { findPaths } from '../../config/paths.js';
import { initProject } from './init.js';
import { typeErrors } from './type-errors.test.support.js';

test('host-power applies to a new project, as it stands and nowhere else, and gives a device', async () => {
  const top = mkdtempSync(join(tmpdir(), 'example-'));
  try {
    const directory = join(top, 'powerswitch');
    const paths = findPaths(import.meta.dirname, undefined);
    await initProject(
      paths,
      { directory, name: undefined, template: 'stopwatch' },
      new AbortController().signal,
    );
    const input = readFileSync(join(paths.package, 'examples', 'host-power', 'host-power.patch'));
    const patched = spawnSync('patch', ['-p1', '--fuzz=0'], { cwd: directory, input, encoding: 'utf8' });
    expect(patched.status, patched.stdout + patched.stderr).toBe(0);
    expect(typeErrors(directory)).toBe('');
    const [found] = await loadDevices(['powerswitch'], findPaths(directory, undefined));
    const header = found?.device.generated?.[0]?.text;
    expect(header).toMatch(/^#define POWERSWITCH_CMD_HOST_OFF +16$/m);
    expect(header).toMatch(/^#define POWERSWITCH_FEATURE_HOST_POWER +0x100$/m);
    // A load checks ERROR against this mask: without DENIED, one denied command makes a saved state unloadable.
    expect(header).toMatch(/^#define POWERSWITCH_ERR_ALL +0x3f$/m);
  } finally {
    rmSync(top, { recursive: true, force: true });
  }
}, 60_000);
