// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import config from '../../../config.js';
import type { Config } from '../../config/schema.js';
import type { Loaded } from '../../config/load.js';
import { pairs, shareOf, withReleases } from './matrix.js';

const paths = {
  package: '/nowhere',
  project: '/nowhere',
  work: '/nowhere',
  src: '/nowhere',
  build: '/nowhere',
  vm: '/nowhere',
  logs: '/nowhere',
  reports: '/nowhere',
};
const SUM = 'ab'.repeat(32);
const loaded = (changed: Partial<Config>): { readonly loaded: Loaded } => ({
  loaded: { config: { ...config, ...changed }, provenance: {}, paths, file: undefined, warnings: [] },
});

describe('pairs', () => {
  it('each with each, those of one kernel side by side, each once', () => {
    expect(pairs(['6.1.1', '6.2.2', '6.1.1'], ['10.0.0', '11.0.0'])).toEqual([
      { linux: '6.1.1', qemu: '10.0.0' },
      { linux: '6.1.1', qemu: '11.0.0' },
      { linux: '6.2.2', qemu: '10.0.0' },
      { linux: '6.2.2', qemu: '11.0.0' },
    ]);
  });

  it.each([1, 2, 3, 4, 7])('are in one of %i parts, whose sizes differ by one at most', (count) => {
    const all = pairs(['1.1', '1.2', '1.3'], ['2.1', '2.2']);
    const parts = Array.from({ length: count }, (_, at) => shareOf(all, { index: at + 1, count }));
    expect(parts.flat()).toEqual(all);
    const sizes = parts.map(({ length }) => length);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
  });
});

describe('withReleases', () => {
  const { linux, qemu } = config.sources;

  it('the project’s own releases change nothing', () => {
    const same = withReleases(loaded({}), { linux: linux.version, qemu: qemu.version });
    expect(same.loaded.config).toEqual(config);
    expect(same.loaded.paths.beside).toEqual([]);
  });

  it('another one is beside it, from the same mirrors, with the sum that the configuration has', () => {
    const releases = { linux: { '6.99.1': SUM }, qemu: {} };
    const other = withReleases(loaded({ releases }), { linux: '6.99.1', qemu: qemu.version });
    expect(other.loaded.paths.beside).toEqual(['linux']);
    const { sources } = other.loaded.config;
    expect(sources.qemu).toEqual(qemu);
    expect(sources.linux.version).toBe('6.99.1');
    expect(sources.linux.mirrors).toContainEqual({
      debian: 'pool/main/l/linux/linux_6.99.1.orig.tar.xz',
      sha256: SUM,
    });
  });

  it('says where a sum goes that is missing, and refuses a tree of the user’s own', () => {
    const pair = { linux: '6.99.1', qemu: qemu.version };
    expect(() => withReleases(loaded({}), pair)).toThrow(/The sha256 of Linux 6.99.1 is not known/);
    const sources = { ...config.sources, linux: { ...linux, tree: '/my/linux' } };
    expect(() => withReleases(loaded({ sources }), pair)).toThrow(/sources.linux.tree is set/);
  });
});
