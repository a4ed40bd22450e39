// SPDX-License-Identifier: MIT
import { defineConfig } from 'vitest/config';

const exclude = ['node_modules/**', 'dist/**', '.stopwatch/**'];

/** Tests that need a Docker daemon. */
const docker = [
  'docker/daemon.integration.test.ts',
  'docker/docker.integration.test.ts',
  'docker/podman.integration.test.ts',
  'test/e2e/docker.test.ts',
];

/** For tests that build and boot: one file after the other, in the laboratory that they share. */
const laboratory = {
  globalSetup: 'test/e2e/global-setup.ts',
  testTimeout: 1_800_000,
  hookTimeout: 1_800_000,
  fileParallelism: false,
};

/**
 * unit: pure code. integration: real processes and servers. e2e: the real QEMU and kernel.
 * docker: with a daemon, which test/support/with-dockerd.ts starts. full: slow proofs, for `npm run test:full`.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{lib,tasks,device,driver,vm,lab,docker,test}/**/*.test.ts'],
          exclude: [...exclude, '**/*.integration.test.ts', 'test/e2e/**', 'test/full/**'],
          // For busy hosts; no unit test takes long by itself.
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['**/*.integration.test.ts'],
          exclude: [...exclude, ...docker],
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          exclude: [...exclude, ...docker],
          ...laboratory,
        },
      },
      { test: { name: 'docker', include: docker, ...laboratory } },
      { test: { name: 'full', include: ['test/full/**/*.test.ts'], exclude, ...laboratory } },
    ],
  },
});
