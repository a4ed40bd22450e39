// SPDX-License-Identifier: MIT
/** `devices:generate`: writes the files that are generated from the devices' contracts, such as a header for C. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProjectDevice } from '../../vm/device.js';
import type { Task } from '../engine/task.js';
import { writeFileAtomic } from '../../lib/files/atomic.js';

export const GENERATED = 'devices:generate';

export function generatedTask(devices: readonly ProjectDevice[]): Task {
  const generated = devices.flatMap(({ root, device }) =>
    (device.generated ?? []).map(({ file, text }) => ({ file, path: join(root, file), text })),
  );
  return {
    name: GENERATED,
    title: 'Devices: generate from their contracts',
    deps: [],
    inputs: { values: Object.fromEntries(generated.map(({ path, text }) => [path, text])) },
    outputs: generated.map(({ path }) => path),
    jobs: 'none',
    run: async (context) => {
      for (const { file, path, text } of generated) {
        const was = await readFile(path, 'utf8').catch(() => undefined);
        // An unchanged package stays as it was installed.
        if (was === text) continue;
        await writeFileAtomic(path, text);
        context.notice(`${file} is generated from the device's contract`);
      }
    },
  };
}
