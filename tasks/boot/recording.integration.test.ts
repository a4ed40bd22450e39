// SPDX-License-Identifier: MIT
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import config from '../../config.js';
import type { MachineParts } from '../../vm/qemu/command-line.js';
import { readRecording, startRecording } from './recording.js';

let root: string;
let work: string;
let report: string;
const vm = { ...config.vm, devices: [] };
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'stopwatch-recording-'));
  work = join(root, 'work');
  report = join(work, 'reports', 'one');
  mkdirSync(report, { recursive: true });
  const built = (name: string): string => {
    writeFileSync(join(root, name), name);
    return join(root, name);
  };
  const parts: MachineParts = {
    files: {
      qemu: built('qemu-system-aarch64'),
      kernel: built('Image'),
      initramfs: built('initramfs.cpio'),
      ext4: undefined,
    },
    options: { vm, nodev: false, rw: false, guest: 'test_and_quit', trace: true },
    devices: [],
    accelerator: 'tcg',
  };
  await startRecording(work, report, parts, 'plain', []);
  writeFileSync(join(report, 'recording', 'replay.log'), Buffer.from([0, 0, 0, 1]));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const read = async (from = report, foreign = false, within = work) =>
  readRecording(from, [], { work: within, foreign });
const description = () => join(report, 'recording', 'recording.json');

test('what was recorded with a work directory is replayed there', async () => {
  const { parts } = await read();
  expect(parts.files.qemu).toBe(join(report, 'recording', 'qemu-system-aarch64'));
});

test('a recording from elsewhere runs only if the user says so', async () => {
  const other = join(root, 'other');
  const brought = join(other, 'reports', 'brought');
  // With all the reports of the other machine, too.
  cpSync(join(work, 'reports'), join(other, 'reports'), { recursive: true });
  cpSync(report, brought, { recursive: true });
  await expect(read(brought, false, other)).rejects.toThrow(
    /brought\/recording was not recorded with .*other/,
  );
  expect((await read(brought, true, other)).directory).toBe(brought);
});

test('one that was changed is one from elsewhere', async () => {
  const saved = readFileSync(description(), 'utf8');
  writeFileSync(description(), saved.replace('"nodev": false', '"nodev": true'));
  await expect(read()).rejects.toMatchObject({
    code: 'bad-usage',
    hint: expect.stringContaining('--foreign'),
  });
});

test.each([
  ['"qemu-system-aarch64"', '"../../../bin/sh"'],
  ['"qemu-system-aarch64"', '"/bin/sh"'],
  ['"Image"', '"../Image"'],
  ['"initramfs.cpio"', '"x"'],
])('the name %s is none of %s, whoever says so', async (name, evil) => {
  const saved = readFileSync(description(), 'utf8');
  writeFileSync(description(), saved.replace(`"name": ${name}`, `"name": ${evil}`));
  await expect(read(report, true)).rejects.toThrow(/recording\.json is not what --record/);
  expect(existsSync(report)).toBe(true);
});
