// SPDX-License-Identifier: MIT
/** `device:generate`: writes the files that are generated from the device's contract, such as the header for C. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Device } from '../../vm/device.js';
import type { Task } from '../engine/task.js';
import { writeFileAtomic } from '../../lib/files/atomic.js';
import type { Layout } from './layout.js';

export const GENERATED = 'device:generate';

export function generatedTask(layout: Layout, { generated }: Device): Task {
  return {
    name: GENERATED,
    title: 'Device: generate from its contract',
    deps: [],
    inputs: { values: Object.fromEntries(generated.map(({ file, text }) => [file, text])) },
    outputs: generated.map(({ file }) => join(layout.device, file)),
    jobs: 'none',
    run: async (context) => {
      for (const { file, text } of generated) {
        const path = join(layout.device, file);
        const was = await readFile(path, 'utf8').catch(() => undefined);
        // An unchanged package stays as it was installed.
        if (was === text) continue;
        await writeFileAtomic(path, text);
        context.notice(`${file} is generated from the device's contract`);
      }
    },
  };
}
