// SPDX-License-Identifier: MIT
/**
 * What a device imports of the tool: the modules of this process, not copies.
 * jiti awaits a module that is a promise, so each is loaded only when it is used.
 */
export function deviceKitModules(): Record<string, unknown> {
  const modules = {
    get '#device-kit'() {
      return import('../../vm/device-kit.js');
    },
    get '#device-kit/fuzz'() {
      return import('./device-kit.js');
    },
    get 'stopwatch/device-kit'() {
      return import('../../vm/device-kit.js');
    },
    get 'stopwatch/device-kit/fuzz'() {
      return import('./device-kit.js');
    },
  };
  return modules;
}
