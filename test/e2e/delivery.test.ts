// SPDX-License-Identifier: MIT
/** A real guest that is given what is damaged, cut short or too large: what it had before is still there. */
import { createHash, randomBytes } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import config from '../../config.js';
import { loadDevices } from '../../tasks/cli/devices.js';
import { findPaths } from '../../tasks/config/paths.js';
import { baseEnvironment } from '../../lib/environment.js';
import { createProcesses } from '../../lib/process/process.js';
import { machineParts } from '../../tasks/build/machine.js';
import { layoutOf } from '../../tasks/build/layout.js';
import { hostClock } from '../../vm/clock.js';
import { type Answer, Delivery } from '../../vm/console/delivery.js';
import { instancesOf } from '../../vm/device.js';
import { boot } from '../../vm/runner.js';
import type { BootResult } from '../../vm/types.js';
import { laboratory } from './laboratory.js';

/** With a guest on a busy host. */
const PATIENCE_MS = 120_000;
const CTRL = '/usr/bin/stopwatch_ctrl.sh';

const lab = laboratory();
const { project } = lab;
const scratch = mkdtempSync(join(lab.scratch, 'delivery-'));
beforeAll(async () => {
  await project.passes(['update', '--rootfs', 'ext4']);
  await project.passes(['update']);
  return () => rmSync(scratch, { recursive: true, force: true });
});

interface Guest {
  readonly line: Socket;
  readonly disk: string;
  readonly delivery: Delivery;
  put(path: string, content: Uint8Array | string): Promise<Answer>;
  /** Runs a program there; what it printed. */
  run(path: string): Promise<string>;
  /** The script of the guest is what it was: it tells its usage. */
  hasOldCtrl(): Promise<void>;
  /** Switches it off without a warning. */
  readonly cutPower: () => void;
}

/** Boots, hands the guest to `use`, and ends it. `disk`: an ext4 root that keeps what is written. */
async function withGuest(
  disk: string | undefined,
  use: (guest: Guest) => Promise<void>,
): Promise<BootResult> {
  const paths = findPaths(project.directory, project.work);
  const instances = instancesOf(await loadDevices(config.devices, paths), config.vm);
  const parts = machineParts(config, layoutOf(config, paths), instances, {
    nodev: false,
    rw: disk !== undefined,
    guest: 'shell',
    trace: false,
  });
  const files = disk === undefined ? parts.files : { ...parts.files, ext4: disk };
  const log = (name: string) => join(scratch, name);
  const power = new AbortController();
  let used: Promise<void> | undefined;
  let line: Socket | undefined;
  const result = await boot(
    {
      parts: { ...parts, files },
      monitorPatterns: [],
      directory: scratch,
      logs: { console: log('console.log'), events: log('events.log'), qemu: log('qemu.log') },
      limits: { firstOutputSeconds: 60, silenceSeconds: undefined, totalSeconds: undefined },
      input: false,
    },
    {
      processes: createProcesses(),
      clock: hostClock,
      env: baseEnvironment(process.env),
      interrupt: power.signal,
      onDelivery: (socket, path) => {
        line = socket;
        const guest = guestOf(socket, path, () => power.abort());
        used = guest.delivery.ready.then(() => use(guest)).finally(() => power.abort());
      },
    },
  );
  line?.destroy();
  await used;
  return result;
}

const onAsk = async () => ({ status: 1, text: 'not here' });

function guestOf(line: Socket, disk: string, cutPower: () => void): Guest {
  const delivery = new Delivery(line, disk, { clock: hostClock, timeoutMs: PATIENCE_MS, onAsk });
  const put: Guest['put'] = (path, content) =>
    delivery.put({ content: Buffer.from(content), path, mode: 0o755, module: undefined });
  const run: Guest['run'] = async (path) => {
    const lines: string[] = [];
    await delivery.run(path, (text) => lines.push(text), AbortSignal.timeout(PATIENCE_MS));
    return lines.join('\n');
  };
  const hasOldCtrl = async (): Promise<void> => {
    expect(await run(CTRL)).toMatch(/^usage: stopwatch_ctrl\.sh \[--id ID\] reset\|start/);
  };
  return { line, disk, delivery, put, run, hasOldCtrl, cutPower };
}

/** What a host says that does not keep to what it has on the disk. */
async function says(guest: Guest, ...words: readonly (string | number)[]): Promise<string> {
  const id = randomBytes(6).toString('hex');
  const answer = new Promise<string>((resolve, reject) => {
    setTimeout(() => reject(new Error(`No answer to ${words.join(' ')}`)), PATIENCE_MS).unref();
    let heard = '';
    const listen = (chunk: Buffer): void => {
      heard += chunk.toString();
      const found = new RegExp(`\u0001\\w+ done ${id} (.*)\n`).exec(heard)?.[1];
      if (found === undefined) return;
      guest.line.removeListener('data', listen);
      resolve(found);
    };
    guest.line.on('data', listen);
  });
  guest.line.write(`put ${id} ${words.join(' ')}\n`);
  return answer;
}

const sumOf = (content: string) => createHash('sha256').update(content).digest('hex');

test('no output of a program hides a message, or passes for one', async () => {
  await withGuest(undefined, async (guest) => {
    const lines = [
      'printf "no end"',
      "printf '\\001done 1 0\\n\\001ready x\\n\\001x ask 1 stopwatch_test\\n\\000\\377\\001'",
      'head -c 200000 /dev/zero | tr "\\0" x',
    ];
    for (const [name, line] of lines.entries()) {
      const program = `/usr/bin/prints${name}`;
      expect(await guest.put(program, `#!/bin/sh\n${line}\nexit ${name + 3}\n`)).toMatchObject({ status: 0 });
      const signal = AbortSignal.timeout(PATIENCE_MS);
      const output: string[] = [];
      const answer = await guest.delivery.run(program, (text) => output.push(text), signal);
      expect(answer).toEqual({ status: name + 3, text: '' });
      expect(output.join('\n')).toMatch(
        [/^no end$/, /^.done 1 0\n.ready x\n.x ask 1 stopwatch_test\n/, /^x{60000}/][name] ?? /$^/,
      );
    }
    await guest.hasOldCtrl();
  });
});

test('damaged, cut off or lost on the way; and a full file system', async () => {
  await withGuest(undefined, async (guest) => {
    const content = '#!/bin/sh\necho new\n';
    writeFileSync(guest.disk, content, { flag: 'r+' });
    expect(await says(guest, content.length, sumOf(`${content} `), 755, CTRL)).toMatch(
      new RegExp(`^1 expected the SHA-256 sum .* got ${sumOf(content)}$`),
    );
    await guest.hasOldCtrl();
    // More than came.
    expect(await says(guest, content.length + 1, sumOf(content), 755, CTRL)).toMatch(/^1 expected the SHA/);
    await guest.hasOldCtrl();
    // No such directory.
    expect(await guest.put('/nowhere/else', content)).toMatchObject({ status: 1 });
    // What is no module stays out of the kernel, and the module stays.
    const noModule = { content: Buffer.from(content), path: '/lib/modules/stopwatch.ko', mode: 0o644 };
    expect(await guest.delivery.put({ ...noModule, module: 'stopwatch' })).toMatchObject({
      status: 1,
      text: expect.stringMatching(/^insmod: /),
    });
    expect(await guest.run('/usr/bin/stopwatch_test.sh')).toMatch(/^# Totals: pass:\d+ fail:0 /m);

    const fill = [
      '#!/bin/sh',
      '[ -f /full ] && exec rm /full',
      'dd if=/dev/zero of=/full bs=64k 2>/dev/null',
      'df / | tail -n 1\n',
    ].join('\n');
    expect(await guest.put('/usr/bin/fill', fill)).toEqual({ status: 0, text: 'new' });
    expect(await guest.run('/usr/bin/fill')).toMatch(/ 100% /);
    expect(await guest.put(CTRL, randomBytes(100_000))).toMatchObject({
      status: 1,
      text: expect.stringMatching(/No space left on device/),
    });
    await guest.hasOldCtrl();
    await guest.run('/usr/bin/fill');
    expect(await guest.put(CTRL, content)).toEqual({ status: 0, text: 'new' });
    expect(await guest.run(CTRL)).toBe('new');
  });
});

test('the host dies in the middle: at the next start the old file is there', async () => {
  const disk = join(scratch, 'disk.ext4');
  copyFileSync(join(project.work, 'vm', 'rootfs.ext4'), disk);
  const large = randomBytes(24 * 1024 * 1024);
  let answer: Answer | undefined;
  await withGuest(disk, async (guest) => {
    const putting = guest.put(CTRL, large);
    setTimeout(guest.cutPower, 150);
    answer = await putting;
  });
  expect(answer).toMatchObject({ status: 1, text: 'the machine has ended' });
  await withGuest(disk, async (guest) => {
    await guest.hasOldCtrl();
    expect(await guest.put(CTRL, '#!/bin/sh\necho new\n')).toEqual({ status: 0, text: 'new' });
    expect(await guest.run(CTRL)).toBe('new');
    // On the disk, not only in memory.
    guest.cutPower();
  });
  await withGuest(disk, async (guest) => {
    expect(await guest.run(CTRL)).toBe('new');
  });
  expect(readFileSync(join(scratch, 'console.log'), 'utf8')).not.toMatch(/EXT4-fs error/);
});
