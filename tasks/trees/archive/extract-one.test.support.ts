// SPDX-License-Identifier: MIT
/** A process of its own that extracts one release. Arguments: archive, directory. */
import { baseEnvironment } from '../../../lib/environment.js';
import { sha256File } from '../../../lib/files/sha256.js';
import { createProcesses } from '../../../lib/process/process.js';
import { extractRelease } from './extract.js';

const [archive = '', directory = ''] = process.argv.slice(2);
await extractRelease(
  { archive, sha256: await sha256File(archive), directory, exclude: [] },
  {
    processes: createProcesses(),
    signal: new AbortController().signal,
    env: baseEnvironment(),
    onProgress: () => undefined,
    log: () => undefined,
  },
);
