// SPDX-License-Identifier: MIT
/** A process of its own that downloads one file. Argument: the request as JSON. Prints the result as JSON. */
import { baseEnvironment } from '../../../lib/environment.js';
import { createProcesses } from '../../../lib/process/process.js';
import { download, type DownloadRequest } from './download.js';

const request: DownloadRequest = JSON.parse(process.argv[2] ?? '');
const result = await download(request, {
  processes: createProcesses(),
  signal: new AbortController().signal,
  env: baseEnvironment(),
  proxyEnv: {},
  onProgress: () => undefined,
  log: () => undefined,
  notice: () => undefined,
});
process.stdout.write(JSON.stringify(result));
