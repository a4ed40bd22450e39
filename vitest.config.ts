// SPDX-License-Identifier: MIT
import { defineConfig } from 'vitest/config';

const exclude = ['node_modules/**', 'dist/**', '.stopwatch/**'];

/** What needs a Docker daemon, from the two rooms where it is. */
const docker = [
  'docker/daemon.integration.test.ts',
  'docker/docker.integration.test.ts',
  'docker/podman.integration.test.ts',
  'docker/registry.integration.test.ts',
  'test/e2e/docker.test.ts',
];

/**
 * unit: pure parts, beside what they test. integration: real processes and servers. e2e: real QEMU and kernel.
 * docker: those with a daemon, which test/support/with-dockerd.ts starts.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{lib,tasks,device,driver,vm,lab,docker,test}/**/*.test.ts'],
          exclude: [...exclude, '**/*.integration.test.ts', 'test/e2e/**'],
          // For hosts that are busy with something else; nothing here takes long by itself.
          testTimeout: 60_000,
        },
      },
      {
        // Only errors: a package without its sources is none.
        logLevel: 'error',
        test: {
          name: 'integration',
          include: ['**/*.integration.test.ts'],
          exclude: [...exclude, ...docker],
          testTimeout: 60_000,
          // It imports JSON in a way that Node does not take.
          server: { deps: { inline: ['@actions/workflow-parser'] } },
        },
      },
      {
        test: {
          name: 'e2e',
          globalSetup: 'test/e2e/global-setup.ts',
          include: ['test/e2e/**/*.test.ts'],
          exclude: [...exclude, ...docker],
          testTimeout: 1_800_000,
          hookTimeout: 1_800_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'docker',
          globalSetup: 'test/e2e/global-setup.ts',
          include: docker,
          testTimeout: 1_800_000,
          hookTimeout: 1_800_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
