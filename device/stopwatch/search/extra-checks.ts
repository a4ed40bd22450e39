// SPDX-License-Identifier: MIT
/** What no script can show: the device on the host's clock, and a second device. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type ExtraCheck,
  type ExtraCheckResult,
  MachineError,
  type MachinePorts,
  SearchMachine,
  type SearchRequest,
} from '../../../lab/search/device-kit.js';
import { TRACE_PREFIX } from '../checker/trace.js';
import { COMMAND, offsetOf, type RegisterName } from '../contract/contract.js';
import { MEM, REGS } from './bus.js';

/** Each takes about 1 ms; one in twenty catches a timeout on its way. */
const STOPS = 500;
/** Length of the first timeout, nanoseconds. */
const FIRST = 50_000;
/** The next timeout is longer or shorter by this factor, after one that expired too early or too late. */
const STEP = 1.1;
const FIRED = `${TRACE_PREFIX}timer`;
const STOPPED = 'vm_state_notify running 0';

/** Counts the files of this process, so that each has its own name. */
let checks = 0;

/**
 * Stops the VM while a timeout expires, on the host's clock. A driven clock
 * serves a due timer before anything else is done. The host's clock continues
 * while QEMU is about to serve the timer, and the VM may be stopped just then. A
 * due timeout must have fired when the VM has stopped: no timer of a stopped VM
 * is served, and its state may be saved.
 */
export const hostClockCheck: ExtraCheck = {
  name: 'hostClock',
  title: "Host's clock",
  async run(request, ports) {
    checks += 1;
    const file = join(request.directory, `stops-${process.pid}-${checks}.log`);
    const trace = { patterns: [FIRED, 'vm_state_notify'], newFile: () => file };
    try {
      const machine = await SearchMachine.start(
        { ...request, device: 'stopwatch', clock: 'host', trace },
        ports,
      );
      let done: { readonly tries: number; readonly wrong?: string };
      try {
        done = await stops(machine, request.silenceMs);
      } finally {
        await machine.end();
      }
      const met = meetings(await readFile(file, 'utf8'));
      const summary = `${done.tries} stops of the VM around a timeout; at ${met} it was due and not yet served`;
      return { summary, wrong: done.wrong, data: { ...done, met } };
    } finally {
      await rm(file, { force: true });
    }
  },
};

async function stops(
  machine: SearchMachine,
  silenceMs: number,
): Promise<{ readonly tries: number; readonly wrong?: string }> {
  const ask = async (...commands: readonly string[]) =>
    machine.qtest.record(commands.map((command) => `${command}\n`).join(''), commands.length, silenceMs);
  let timeout = FIRST;
  for (let tries = 1; tries <= STOPS; tries++) {
    await Promise.all([ask(write('TIMEOUT_NS', timeout)), machine.stop()]);
    // An interrupt that the device raised by itself precedes this answer.
    await ask(`readq 0x${MEM.toString(16)}`);
    const answers = await ask(read('TIMEOUT_NS'));
    if (answers.some((line) => line.startsWith('IRQ '))) {
      const wrong = `stopped with a timeout of ${timeout} ns that had come, and the interrupt line rose only when a register was read`;
      return { tries, wrong };
    }
    const isPending = BigInt(answers[0]?.split(' ')[1] ?? 0) > 0n;
    timeout = Math.max(1, Math.round(isPending ? timeout / STEP : timeout * STEP));
    await machine.cont();
    // Cancels a pending timeout, or acknowledges one that fired; the other command is an error.
    await ask(write('TIMEOUT_NS', 0), write('COMMAND', COMMAND.TIMEOUT_ACK), write('ERROR', 0xff));
  }
  return { tries: STOPS };
}

const addressOf = (name: RegisterName): string => `0x${(REGS + offsetOf(name)).toString(16)}`;
const read = (name: RegisterName): string => `readq ${addressOf(name)}`;
const write = (name: RegisterName, value: number | bigint): string =>
  `writeq ${addressOf(name)} 0x${value.toString(16)}`;

/** How often a timeout fired because the VM stopped: QEMU traces the stop, and then the device fires. */
function meetings(trace: string): number {
  const lines = trace.split('\n');
  return lines.filter((line, index) => line.startsWith(FIRED) && lines[index - 1]?.startsWith(STOPPED))
    .length;
}

/** The device's trace and RAM have fixed names, so QEMU must refuse a second device. */
export const oneDeviceCheck: ExtraCheck = {
  name: 'oneDevice',
  title: 'Two devices',
  async run(request: SearchRequest, ports: MachinePorts): Promise<ExtraCheckResult> {
    const summary = 'a second device is refused';
    try {
      const two = { ...request, device: 'stopwatch', more: ['-device', 'stopwatch'] };
      const machine = await SearchMachine.start(two, ports);
      await machine.end();
      return { summary, wrong: 'QEMU accepts two devices' };
    } catch (error) {
      if (!(error instanceof MachineError)) throw error;
      if (error.message.includes('at most one stopwatch device')) return { summary };
      return { summary, wrong: `a second device is refused for another reason: ${error.message}` };
    }
  },
};
