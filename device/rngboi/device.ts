// SPDX-License-Identifier: MIT
/** Describes rngboi, a random generator that traps for every word, to the toolchain. */
import { openSync, readSync } from 'node:fs';
import type { SearchableDevice } from '../../lab/search/device-kit.js';
import { rngboiChecker } from './checker.js';
import { header } from './contract.js';
import { TRACE } from './trace.js';

let urandom: number | undefined;

/** The host's own generator. */
function readUrandom(bytes: number): void {
  urandom ??= openSync('/dev/urandom', 'r');
  readSync(urandom, Buffer.allocUnsafe(bytes));
}

export const device: SearchableDevice = {
  description: {
    name: 'rngboi',
    qemuType: 'rngboi',
    // With a seed, the model can check the words; with seed 0 they come from the host.
    properties: { seed: 1337 },
    deviceTree: { compatible: 'rngboi', regions: ['regs'] },
    traceEvents: TRACE,
    writeHandler: 'rngboi_write',
  },
  checker: ({ properties: { seed } }) =>
    rngboiChecker({ seed: typeof seed === 'number' ? BigInt(seed) : undefined }),
  hostRows: [
    {
      row: 'random/host',
      sizes: [16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576],
      operate: readUrandom,
    },
  ],
  generated: [{ file: 'driver/rngboi/rngboi_hw-sw.h', text: header() }],
  search: async () => (await import('./search/search.js')).rngboiSearch,
};
