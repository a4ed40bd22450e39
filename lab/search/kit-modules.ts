// SPDX-License-Identifier: MIT
/**
 * What a device imports of the tool: the modules that run here, not copies of
 * them. jiti waits for a module that is a promise, so each is loaded when it is
 * wanted: most commands want no fast-check.
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
