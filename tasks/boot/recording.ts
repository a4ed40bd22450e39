// SPDX-License-Identifier: MIT
/**
 * A recorded run, in `recording/` of its report's directory: copies of QEMU, the
 * kernel and the root, QEMU's log of all input from outside, and recording.json
 * with their checksums. So it can be repeated after all of them have been rebuilt,
 * and a changed copy is noticed.
 */
import { constants, existsSync } from 'node:fs';
import { appendFile, copyFile, mkdir, open, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { type MachineParts, qemuArguments } from '../../vm/qemu/command-line.js';
import { instancesOf, type ProjectDevice } from '../../vm/device.js';
import type { MachineFiles } from '../../vm/types.js';
import { packageVersion } from '../config/paths.js';
import { type Config, configSchema } from '../config/schema.js';
import { StopwatchError } from '../../lib/errors.js';
import { sha256File } from '../../lib/files/sha256.js';

/** Only these names, without directories: the file is executed. */
const file = (...names: readonly string[]) =>
  z.strictObject({ name: z.string().refine((name) => names.includes(name)), sha256: z.string() });
const schema = z.strictObject({
  schema: z.literal(3),
  /** Version that recorded it. */
  stopwatch: z.string(),
  options: z.strictObject({
    nodev: z.boolean(),
    rw: z.boolean(),
    guest: z.enum(['test_and_quit', 'stress_and_quit', 'bench_and_quit', 'test', 'shell', 'exec']),
    trace: z.boolean(),
    tested: z.array(z.string()).optional(),
    only: z.array(z.string()).optional(),
    seed: z.number().optional(),
  }),
  vm: configSchema.shape.vm,
  /** The variant that was built, for the kernel's symbols. */
  variant: configSchema.shape.build.shape.variant,
  monitorPatterns: z.array(z.string()),
  files: z.strictObject({
    qemu: file('qemu-system-aarch64'),
    kernel: file('Image'),
    initramfs: file('initramfs.cpio').nullable(),
    ext4: file('rootfs.ext4', 'disk.ext4').nullable(),
  }),
  /** QEMU's arguments, with names instead of paths. */
  arguments: z.array(z.string()),
});
type Saved = z.infer<typeof schema>;
type SavedFile = Saved['files']['qemu'];

/** A recorded run. */
export interface Recorded {
  /** The report's directory. */
  readonly directory: string;
  readonly vm: Config['vm'];
  readonly variant: Config['build']['variant'];
  readonly options: Saved['options'];
  readonly monitorPatterns: readonly string[];
  /** The same machine, made of the copies, replaying the log. */
  readonly parts: MachineParts;
  /** Sums of the copies. */
  readonly sums: { readonly qemu: string; readonly kernel: string };
}

const DIRECTORY = 'recording';
const DESCRIPTION = 'recording.json';
const LOG = 'replay.log';

/**
 * The checksums of all recordings made with a work directory, one a line. The file is not among the reports, so that a
 * report from elsewhere cannot bring its own.
 */
const ledger = (work: string): string => join(work, 'run', 'recordings');

/**
 * Throws 'bad-usage' for what QEMU cannot record: several processors, KVM, and a disk under a clock that skips sleeps
 * (with QEMU 10.0 the guest waits for ever for the disk's first answer).
 */
export function recordable({ vm }: Config): void {
  const one = 'Leave out --record, or set vm.cpus to 1 and vm.accelerator to auto.';
  if (vm.accelerator === 'kvm') cannotRecord('needs an emulated processor, but vm.accelerator is kvm', one);
  if (vm.cpus > 1) cannotRecord(`needs a machine with one processor, but vm.cpus is ${vm.cpus}`, one);
  if (vm.rootfs === 'ext4' && vm.clock === 'icount') {
    cannotRecord(
      "needs the host's clock where the root is a disk, but vm.clock is icount",
      'Add --realtime.',
    );
  }
}

function cannotRecord(what: string, hint: string): never {
  throw new StopwatchError('bad-usage', `--record ${what}`, { hint });
}

/** Makes the copies in a report's directory, and returns the machine made of them, set to record. */
export async function startRecording(
  work: string,
  directory: string,
  parts: MachineParts,
  variant: Config['build']['variant'],
  monitorPatterns: readonly string[],
): Promise<MachineParts> {
  const to = join(directory, DIRECTORY);
  await mkdir(to);
  const copy = async (path: string): Promise<SavedFile> => {
    const name = basename(path);
    await copyFile(path, join(to, name), constants.COPYFILE_FICLONE);
    return { name, sha256: await sha256File(join(to, name)) };
  };
  const { vm, tested, only, ...options } = parts.options;
  const { qemu, kernel, initramfs, ext4 } = parts.files;
  const files = {
    qemu: await copy(qemu),
    kernel: await copy(kernel),
    initramfs: initramfs === undefined ? null : await copy(initramfs),
    ext4: ext4 === undefined ? null : await copy(ext4),
  };
  const saved: Saved = {
    schema: 3,
    stopwatch: packageVersion(),
    options: { ...options, ...(tested && { tested: [...tested] }), ...(only && { only: [...only] }) },
    vm,
    variant,
    monitorPatterns: [...monitorPatterns],
    files,
    arguments: argumentsOf(parts, filesBelow('', files), monitorPatterns),
  };
  const description = join(to, DESCRIPTION);
  await writeFile(description, `${JSON.stringify(saved, null, 2)}\n`);
  await mkdir(dirname(ledger(work)), { recursive: true });
  await appendFile(ledger(work), `${await sha256File(description)}\n`);
  return {
    ...parts,
    files: filesBelow(to, files),
    recording: { mode: 'record', file: join(to, LOG) },
  };
}

export interface ReadRequest {
  /** The work directory that it must have been recorded with. */
  readonly work: string;
  /** Also accept a recording from elsewhere. */
  readonly foreign: boolean;
}

/**
 * Reads the recorded run of this report. Throws 'file-unreadable' if there is none or a file was changed, and
 * 'bad-usage' for one from elsewhere: it contains its own QEMU and arguments, which run as this user.
 */
export async function readRecording(
  report: string,
  devices: readonly ProjectDevice[],
  { work, foreign }: ReadRequest,
): Promise<Recorded> {
  const directory = join(report, DIRECTORY);
  const description = join(directory, DESCRIPTION);
  const refuse = (why: string, cause?: unknown): StopwatchError =>
    new StopwatchError('file-unreadable', `${directory} cannot be replayed: ${why}`, {
      hint: 'Record a new run: npx stopwatch run-test-quit --record',
      ...(cause === undefined ? {} : { cause }),
    });
  if (!isRecorded(report)) throw refuse('the run was not recorded');
  if (!foreign && !(await wasRecordedWith(work, description))) {
    throw new StopwatchError('bad-usage', `${directory} was not recorded with ${work}`, {
      hint: 'A recording is a program: replay runs the QEMU in it, as you. If you trust its author, give --foreign.',
    });
  }
  let saved: Saved;
  try {
    saved = schema.parse(JSON.parse(await readFile(description, 'utf8')));
  } catch (cause) {
    throw refuse(`${DESCRIPTION} is not what --record of this version writes`, cause);
  }
  for (const one of Object.values(saved.files)) {
    if (one === null) continue;
    const got = await sha256File(join(directory, one.name)).catch(() => 'no such file');
    if (got !== one.sha256) {
      throw refuse(`${one.name} is not the one that was recorded: expected sha256 ${one.sha256}, got ${got}`);
    }
  }
  const log = join(directory, LOG);
  if (!(await isFinished(log))) throw refuse(`${LOG} has no end: QEMU was killed while it recorded`);
  const { vm, variant, options, monitorPatterns } = saved;
  const parts: MachineParts = {
    files: filesBelow(directory, saved.files),
    options: { ...options, vm },
    devices: instancesOf(devices, vm),
    accelerator: 'tcg',
    recording: { mode: 'replay', file: log },
  };
  const now = argumentsOf(parts, filesBelow('', saved.files), monitorPatterns);
  if (now.join('\n') !== saved.arguments.join('\n')) {
    throw refuse(
      `it was recorded with other arguments of QEMU: expected '${saved.arguments.join(' ')}', got '${now.join(' ')}'`,
    );
  }
  const sums = { qemu: saved.files.qemu.sha256, kernel: saved.files.kernel.sha256 };
  return { directory: report, vm, variant, options, monitorPatterns, parts, sums };
}

async function wasRecordedWith(work: string, description: string): Promise<boolean> {
  const sums = await readFile(ledger(work), 'utf8').catch(() => '');
  return sums.split('\n').includes(await sha256File(description));
}

export function isRecorded(report: string): boolean {
  return existsSync(join(report, DIRECTORY, DESCRIPTION));
}

/** The newest report that has a recording; undefined if none has. */
export async function latestRecorded(reports: string): Promise<string | undefined> {
  const names = await readdir(reports).catch(() => []);
  const newest = names
    .filter((name) => name !== 'latest')
    .sort()
    .reverse()
    .find((name) => isRecorded(join(reports, name)));
  return newest === undefined ? undefined : join(reports, newest);
}

function filesBelow(directory: string, { qemu, kernel, initramfs, ext4 }: Saved['files']): MachineFiles {
  const path = (one: SavedFile): string => join(directory, one.name);
  return {
    qemu: path(qemu),
    kernel: path(kernel),
    initramfs: initramfs === null ? undefined : path(initramfs),
    ext4: ext4 === null ? undefined : path(ext4),
  };
}

/** QEMU's arguments, independent of the report's directory and of the sockets' paths. */
function argumentsOf(parts: MachineParts, files: MachineFiles, monitorPatterns: readonly string[]): string[] {
  return qemuArguments(
    { ...parts, files, recording: { mode: 'record', file: LOG } },
    { qmp: 'qmp', events: parts.options.trace ? 'events' : undefined, monitorPatterns },
  );
}

/** QEMU writes the log's first word, a version, last. */
async function isFinished(log: string): Promise<boolean> {
  const handle = await open(log).catch(() => undefined);
  if (handle === undefined) return false;
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(4), 0, 4, 0);
    return bytesRead === 4 && buffer.readUInt32BE() !== 0;
  } finally {
    await handle.close();
  }
}
