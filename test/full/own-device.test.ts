// SPDX-License-Identifier: MIT
/**
 * Another device in a project of its own, built, booted and checked by the same
 * commands, without a stopwatch anywhere. The commands are those of
 * docs/host-power.md, as they are written there.
 */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { edit, undoEdits } from '../e2e/edit.js';
import { blocks, checkTypes, makeOwnProject, mustType, NAME, own, typed } from '../e2e/own-project.js';
import { left, must, start } from '../e2e/project.js';

undoEdits();

const [init, , build, patch, again, denied, program, asked, forget, ...rest] = blocks;

beforeAll(makeOwnProject);

test('the page has the commands that are run here', () => {
  expect(rest).toEqual([]);
  expect(init).toBe(`npx stopwatch init ../${NAME} --template stopwatch\n`);
  for (const block of [build, again]) expect(block).toBe('npx stopwatch all\n');
  expect(patch).toContain('host-power.patch');
  expect(program).toContain('pretend.sh');
  expect(denied).toContain('host-off');
  expect(asked).toContain('host-reboot');
  expect(forget).toContain('sed -i');
});

async function all(): Promise<{ code: number | null; said: string }> {
  const { code, out, err } = await own.stopwatch(['all']);
  return { code, said: out + err };
}

/** Names of what is in a tree, links too, that have the word in them. */
async function named(directory: string, word: string): Promise<string> {
  return must('find', [directory, '-iname', `*${word}*`], { cwd: directory, env: own.env });
}

test('passes, checked against its own model', async () => {
  const said = await mustType(build);
  const { verdict } = own.lastDevice();
  expect(own.lastReport().result.guest.outcome).toBe('passed');
  expect(verdict).toMatchObject({ result: 'agree' });
  expect(verdict?.checked).toBeGreaterThan(1000);
  expect(verdict?.confirmed).toBeGreaterThan(100);
  // The header that came with it is the one that follows from the contract.
  expect(said).not.toContain('is generated from');
});

test('no stopwatch: in its sources, in what is generated of them, in QEMU, in the driver', async () => {
  const folders = ['device', 'driver', 'guest_fs'];
  const found = await start('grep', ['-ri', 'stopwatch', ...folders], { cwd: own.directory, env: own.env })
    .ended;
  // What the guest has from the tool keeps its name.
  expect(found.out.replaceAll('/usr/lib/stopwatch/', '')).not.toMatch(/:.*stopwatch/i);
  const generated = join(own.work, 'build', 'qemu-devices');
  expect(await named(generated, 'stopwatch')).toBe('');
  expect(await named(generated, NAME)).not.toBe('');
  const qemu = join(own.work, 'build', 'qemu', 'qemu-system-aarch64');
  const devices = await must(qemu, ['-machine', 'virt', '-device', 'help'], {
    cwd: own.directory,
    env: own.env,
  });
  expect(devices).toContain(`"${NAME}"`);
  expect(devices).not.toMatch(/stopwatch/i);
  expect(readFileSync(qemu, 'latin1')).not.toMatch(/stopwatch[_-][a-z]/i);
  const drivers = join(own.work, 'build', 'drivers');
  expect(readdirSync(drivers)).toEqual([NAME]);
  expect(readFileSync(join(drivers, NAME, `${NAME}.ko`), 'latin1')).not.toMatch(/stopwatch_/i);
  // Of all projects the same kernel.
  const config = readFileSync(join(own.work, 'build', 'linux', '.config'), 'utf8');
  expect(config).not.toMatch(/STOPWATCH|POWERSWITCH/);
  const dts = readFileSync(join(own.work, 'vm', 'virt.dts'), 'utf8');
  expect(dts).toContain(`compatible = "qemu,${NAME}`);
  expect(dts).not.toContain('qemu,stopwatch');
});

test('the other commands know it', async () => {
  const module = await own.exits(0, ['module']);
  expect(module.out).toContain(`${NAME}.ko`);
  const patches = await own.exits(0, ['update_patches']);
  expect(patches.out).toContain('Nothing to write');
  await own.passes(['fuzz', '--ops', '2000', '--seed', '1', '--json']);
  const status = await own.status();
  expect([...status.values()].filter(({ fresh }) => !fresh)).toEqual([]);
});

test('a fault in its device is found by its model', async () => {
  edit(
    own.directory,
    `device/${NAME}/${NAME}.c`,
    `        s->elapsed = ${NAME}_elapsed(s, now);\n        s->status = POWERSWITCH_STATUS_PAUSED;`,
    '        s->status = POWERSWITCH_STATUS_PAUSED;',
  );
  const { code, said } = await all();
  expect(code, said).toBe(3);
  expect(own.lastDevice().verdict?.divergence).toMatchObject({
    register: 'COMMAND',
    field: 'state.elapsed',
  });
});

test('a change of its contract reaches device, driver and model', async () => {
  const header = join(own.directory, 'driver', NAME, `${NAME}_hw-sw.h`);
  const before = readFileSync(header, 'utf8');
  edit(own.directory, `device/${NAME}/contract/contract.ts`, '0x504f5745n', '0x504f5746n');
  const changed = await all();
  expect(changed.code, changed.said).toBe(0);
  expect(changed.said).toContain(`driver/${NAME}/${NAME}_hw-sw.h is generated from`);
  expect(readFileSync(header, 'utf8')).toBe(before.replace('0x504f5745', '0x504f5746'));
});

/** The device's property, as a setting. */
function hostPower(path: string): Record<string, string> {
  const devices = [{ device: NAME, properties: { 'host-power': path } }];
  return { STOPWATCH_VM_DEVICES: JSON.stringify(devices) };
}

/** What the harmless program was asked for. */
function log(): string {
  const file = join(own.directory, 'asked.log');
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

test('host-power: without a program the guest is denied, and nothing runs', async () => {
  await mustType(patch);
  await checkTypes();
  await mustType(program);
  await mustType(again);
  const { tests, verdict } = own.lastDevice();
  expect(tests[0]?.tests).toContainEqual(expect.objectContaining({ name: 'host_power', status: 'ok' }));
  expect(verdict?.result).toBe('agree');
  expect(await mustType(denied)).toMatch(/^powerswitch_ctrl\.sh: refused: Permission denied$/m);
  expect(own.lastDevice().verdict).toMatchObject({ result: 'agree' });
  const empty = await typed(denied, { env: hostPower('') });
  expect(empty.code, empty.err).toBe(0);
  expect(empty.out).toContain('Permission denied');
  expect(await left(own)).toEqual([]);
  expect(log()).toBe('');
});

test('host-power: with a program it runs exactly once, and the model agrees', async () => {
  const said = await mustType(asked);
  expect(said.match(/^powerswitch_ctrl\.sh: refused: Device or resource busy$/gm)).toHaveLength(2);
  expect(own.lastDevice().verdict).toMatchObject({ result: 'agree' });
  // The program has ended too, although QEMU does not wait for it.
  expect(await left(own)).toEqual([]);
  expect(log()).toBe('reboot\n');
});

test('host-power: a program that is not there is no matter of the guest', async () => {
  const { code, out, err } = await typed(denied, { env: hostPower('/none') });
  expect(code, out + err).toBe(0);
  expect(out).not.toContain('refused');
  expect(own.lastDevice().verdict).toMatchObject({ result: 'agree' });
  expect(readFileSync(own.lastRun('qemu.log'), 'utf8')).toContain('powerswitch: host-power: ');
});

test('host-power: a device that forgets that it was asked is found out', async () => {
  rmSync(join(own.directory, 'asked.log'));
  await mustType(forget);
  const { code, out, err } = await typed(asked);
  expect(code, out + err).toBe(3);
  expect(own.lastDevice().verdict?.divergence).toMatchObject({ register: 'COMMAND' });
  expect(await left(own)).toEqual([]);
  expect(log()).toBe('reboot\noff\noff\n');
});
