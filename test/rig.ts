// SPDX-License-Identifier: MIT
/** The older name of test/support/sandbox.ts, for tests that still use it. */
import { type Sandbox, test as base } from './support/sandbox.js';

export { COMMANDS, ROOT, type Sandbox as Rig, until } from './support/sandbox.js';

export const test = base.extend<{ rig: Sandbox }>({
  rig: async ({ sandbox }, use) => use(sandbox),
});
