// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest';
import config from '../../../config.js';
import { containerEnvironment, innerArguments, ownTrees, programDirectories, summaryFile } from './plan.js';
import { containerWork } from '../../build/layout.js';

const places = { work: '/p/.stopwatch/docker', downloads: '/h/.cache/stopwatch', ccache: '/h/ccache' };

describe('environment', () => {
  test('proxies, colours and settings get in; what is of this machine alone does not', () => {
    const env = containerEnvironment(
      {
        HOME: '/home/ann',
        PATH: '/opt/bin',
        LD_PRELOAD: 'x.so',
        DOCKER_HOST: 'unix:///s',
        TERM: 'xterm',
        NO_COLOR: '1',
        https_proxy: 'http://proxy:1',
        NO_PROXY: 'localhost',
        STOPWATCH_VM_MEMORY_MIB: '256',
        CCACHE_MAXSIZE: '2G',
        CCACHE_CONFIGPATH: '/home/ann/ccache.conf',
        CCACHE_PREFIX: 'distcc',
      },
      places,
    );
    expect(env).toEqual({
      TERM: 'xterm',
      NO_COLOR: '1',
      https_proxy: 'http://proxy:1',
      NO_PROXY: 'localhost',
      STOPWATCH_VM_MEMORY_MIB: '256',
      CCACHE_MAXSIZE: '2G',
      CCACHE_DIR: '/h/ccache',
      STOPWATCH_WORKDIR: '/p/.stopwatch/docker',
      STOPWATCH_DOWNLOADS_DIRECTORY: '/h/.cache/stopwatch',
    });
  });

  test('the places inside go before what the host says', () => {
    const host = {
      CCACHE_DIR: '/a',
      STOPWATCH_WORKDIR: '/b',
      STOPWATCH_DOWNLOADS_DIRECTORY: '~/c',
    };
    expect(containerEnvironment(host, places)).toEqual(containerEnvironment({}, places));
  });
});

test('of GitHub’s command files the summary alone is mounted, not their directory', () => {
  const beside = '/r/_runner_file_commands';
  const environment = {
    GITHUB_STEP_SUMMARY: `${beside}/step_summary_1`,
    GITHUB_OUTPUT: `${beside}/set_output_1`,
    GITHUB_ENV: `${beside}/set_env_1`,
    GITHUB_PATH: `${beside}/add_path_1`,
  };
  expect(summaryFile(environment)).toEqual([`${beside}/step_summary_1`]);
  expect(summaryFile({})).toEqual([]);
  expect(Object.keys(containerEnvironment(environment, places))).not.toContain('GITHUB_OUTPUT');
});

test('the work directory is not the host’s, but below it', () => {
  expect(containerWork('/p/.stopwatch')).toBe('/p/.stopwatch/docker');
});

describe('what the program needs', () => {
  test('a checkout has everything', () => {
    expect(programDirectories('/src/stopwatch')).toEqual(['/src/stopwatch']);
  });

  test('a package has its dependencies beside it', () => {
    expect(programDirectories('/p/node_modules/stopwatch')).toEqual(['/p/node_modules']);
    expect(programDirectories('/p/node_modules/a/node_modules/stopwatch')).toEqual(['/p/node_modules']);
  });
});

describe('arguments of the command inside', () => {
  test('nothing is installed; without options there are no others', () => {
    expect(innerArguments({ color: true }, config)).toEqual(['all', '--no-install']);
  });

  test('every option of `all` is handed on', () => {
    const all = {
      json: true,
      verbose: true,
      ci: 'github',
      color: false,
      jobs: 0,
      offline: true,
      driver: 'builtin',
      rootfs: 'ext4',
      realtime: true,
      accel: 'tcg',
    } as const;
    expect(innerArguments(all, config).join(' ')).toBe(
      'all --no-install --json --verbose --ci github --no-color --jobs 0 --offline --driver builtin --rootfs ext4 --realtime --accel tcg',
    );
  });

  test('trees of the user’s own, wherever they were named', () => {
    const linux = { ...config.sources.linux, tree: '/src/linux a' };
    const own = { ...config, sources: { ...config.sources, linux } };
    expect(ownTrees(own)).toEqual([['linux', '/src/linux a']]);
    expect(innerArguments({ color: true }, own)).toEqual([
      'all',
      '--no-install',
      '--source',
      'linux=/src/linux a',
    ]);
  });
});
