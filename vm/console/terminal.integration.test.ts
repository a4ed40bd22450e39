// SPDX-License-Identifier: MIT
/** Tests the bridge between a user's streams and an echoing console. The command line's tests use a real pseudo-terminal. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { fakePorts, fakeRequest, noLimits } from '../../test/support/machine.js';
import { bootOnTerminal, type TerminalInput } from './terminal.js';
import type { BootResult } from '../types.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'terminal-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Collects a console's output as text; `until` waits for a given part. */
class Screen extends PassThrough {
  text = '';
  #waiting: (() => void)[] = [];
  constructor() {
    super();
    this.on('data', (chunk: Buffer) => {
      this.text += chunk.toString();
      for (const check of this.#waiting.splice(0)) check();
    });
  }
  async until(text: string): Promise<void> {
    while (!this.text.includes(text)) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}
class Tty extends PassThrough implements TerminalInput {
  readonly isTTY = true;
  readonly raw: boolean[] = [];
  setRawMode(raw: boolean): void {
    this.raw.push(raw);
  }
}

function start(
  stdin: TerminalInput,
  stdout: NodeJS.WritableStream,
  steps: readonly string[],
  limits = noLimits,
): Promise<BootResult> {
  const request = fakeRequest(directory, steps, { limits });
  const parts = { ...request.parts, options: { ...request.parts.options, guest: 'shell' as const } };
  return bootOnTerminal({ ...request, parts }, fakePorts(), { stdin, stdout });
}

it('is raw while the machine runs: keys go to the guest, Ctrl-A h helps, Ctrl-A x ends', async () => {
  const [tty, screen] = [new Tty(), new Screen()];
  const running = start(tty, screen, ['qmp', 'console=login: ', 'echo']);
  await screen.until('login: ');
  expect(tty.raw).toEqual([true]);
  tty.write('root\u0003');
  await screen.until('root\u0003');
  tty.write('\u0001h');
  await screen.until('Ctrl-A x       end the machine\r\n');
  tty.write('\u0001x');
  expect(await running).toMatchObject({ outcome: 'ended', reason: 'ended by Ctrl-A x' });
  expect(tty.raw).toEqual([true, false]);
  expect(tty.isPaused()).toBe(true);
});

it('holds what is typed until the guest has a prompt', async () => {
  const [tty, screen] = [new Tty(), new Screen()];
  const running = start(tty, screen, ['qmp', 'console=booting\\n', 'wait=700', 'console=~ # ', 'echo']);
  await screen.until('booting');
  tty.write('typed while it boots\r');
  await screen.until('typed while it boots');
  expect(screen.text.indexOf('~ # ')).toBeGreaterThan(0);
  expect(screen.text.indexOf('typed')).toBeGreaterThan(screen.text.indexOf('~ # '));
  tty.write('\u0001x');
  expect(await running).toMatchObject({ outcome: 'ended' });
});

it('restores the terminal when QEMU dies', async () => {
  const [tty, screen] = [new Tty(), new Screen()];
  const result = await start(tty, screen, ['qmp', 'console=x\\n', 'crash', 'idle']);
  expect(result.outcome).toBe('qemu-died');
  expect(tty.raw).toEqual([true, false]);
});

it('ends when the terminal is closed', async () => {
  const [tty, screen] = [new Tty(), new Screen()];
  const running = start(tty, screen, ['qmp', 'console=x\\n', 'idle']);
  await screen.until('x');
  tty.end();
  expect(await running).toMatchObject({ outcome: 'ended', reason: 'the terminal was closed' });
});

it('types piped commands at the prompt, then Ctrl-D', async () => {
  const [pipe, screen] = [new PassThrough(), new Screen()];
  pipe.end('echo hi\n');
  const limits = { ...noLimits, silenceSeconds: 0.5 };
  // The echoed command is no prompt, so Ctrl-D comes after the time without one.
  const result = await start(pipe, screen, ['qmp', 'console=/ # ', 'echo'], limits);
  expect(screen.text).toBe('/ # echo hi\n\u0004');
  expect(result).toMatchObject({
    outcome: 'ended',
    reason: 'the input ended, and the guest was quiet for 0.5 s',
  });
});

it('ends when its output is closed', async () => {
  const [pipe, screen] = [new PassThrough(), new Screen()];
  const running = start(pipe, screen, ['qmp', 'console=x\\n', 'idle']);
  await screen.until('x');
  screen.destroy(new Error('EPIPE'));
  expect(await running).toMatchObject({ outcome: 'ended', reason: 'standard output was closed' });
});
