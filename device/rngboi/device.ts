// SPDX-License-Identifier: MIT
/** rngboi, the random generator of which every word is an access: the value that the toolchain loads. */
import type { SearchableDevice } from '../../lab/search/device-kit.js';
import { rngboiChecker } from './checker.js';
import { header } from './contract.js';
import { TRACE } from './trace.js';

export const device: SearchableDevice = {
  description: {
    name: 'rngboi',
    qemuType: 'rngboi',
    // With a seed, the words can be checked; seed 0 gives those of the host.
    properties: { seed: 1337 },
    deviceTree: { compatible: 'rngboi', regions: ['regs'] },
    traceEvents: TRACE,
    writeHandler: 'rngboi_write',
  },
  checker: ({ properties: { seed } }) =>
    rngboiChecker({ seed: typeof seed === 'number' ? BigInt(seed) : undefined }),
  generated: [{ file: 'driver/rngboi/rngboi_hw-sw.h', text: header() }],
  search: async () => (await import('./search/search.js')).rngboiSearch,
};
