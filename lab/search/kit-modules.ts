// SPDX-License-Identifier: MIT
/**
 * The modules of the public API, so that a device imports those of this process and not copies.
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
