// SPDX-License-Identifier: MIT
/**
 * The VM is stopped while a timeout comes, on the host's clock. A driven clock
 * serves whatever is due before anything else is done; the host's goes on while
 * QEMU is on its way to the timer, and the VM may be stopped there. What was due
 * must have fired by then: nobody serves a timer of a stopped VM, and it may be
 * saved as it is.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  FuzzMachine,
  type FuzzRequest,
  type HostClockCheck,
  type MachinePorts,
} from '../../../lab/search/device-kit.js';
import { COMMAND, offsetOf, type RegisterName } from '../contract.js';
import { MEM, REGS } from './bus.js';
import { TRACE_PREFIX } from '../parse.js';

/** Each takes about 1 ms; in one of twenty the two meet. */
const STOPS = 500;
/** Of the first timeout, nanoseconds. */
const FIRST = 50_000;
/** The next one is by so much longer or shorter, as the one before came too early or too late. */
const STEP = 1.1;
const FIRED = `${TRACE_PREFIX}timer`;
const STOPPED = 'vm_state_notify';

/** What was checked in this process so far: each file has a name of its own. */
let checks = 0;

export async function stopCheck(request: FuzzRequest, ports: MachinePorts): Promise<HostClockCheck> {
  checks += 1;
  const file = join(request.directory, `stops-${process.pid}-${checks}.log`);
  const trace = { patterns: [FIRED, STOPPED], newFile: () => file };
  try {
    const machine = await FuzzMachine.start({ ...request, device: 'stopwatch', clock: 'host', trace }, ports);
    let done: Omit<HostClockCheck, 'met'>;
    try {
      done = await stops(machine, request.silenceMs);
    } finally {
      await machine.end();
    }
    return { ...done, met: meetings(await readFile(file, 'utf8')) };
  } finally {
    await rm(file, { force: true });
  }
}

async function stops(machine: FuzzMachine, silenceMs: number): Promise<Omit<HostClockCheck, 'met'>> {
  const ask = async (...commands: readonly string[]) =>
    machine.tape.record(commands.map((command) => `${command}\n`).join(''), commands.length, silenceMs);
  let timeout = FIRST;
  for (let tries = 1; tries <= STOPS; tries++) {
    await Promise.all([ask(write('TIMEOUT_NS', timeout)), machine.stop()]);
    // Whatever came by itself came before this answer.
    await ask(`readq 0x${MEM.toString(16)}`);
    const told = await ask(read('TIMEOUT_NS'));
    if (told.some((line) => line.startsWith('IRQ '))) {
      const wrong = `stopped with a timeout of ${timeout} ns that had come, and the interrupt line rose only when a register was read`;
      return { tries, wrong };
    }
    const isPending = BigInt(told[0]?.split(' ')[1] ?? 0) > 0n;
    timeout = Math.max(1, Math.round(isPending ? timeout / STEP : timeout * STEP));
    await machine.cont();
    // Cancelled, or acknowledged; the other one is an error.
    await ask(write('TIMEOUT_NS', 0), write('COMMAND', COMMAND.TIMEOUT_ACK), write('ERROR', 0xff));
  }
  return { tries: STOPS, wrong: undefined };
}

const addressOf = (name: RegisterName): string => `0x${(REGS + offsetOf(name)).toString(16)}`;
const read = (name: RegisterName): string => `readq ${addressOf(name)}`;
const write = (name: RegisterName, value: number | bigint): string =>
  `writeq ${addressOf(name)} 0x${value.toString(16)}`;

/** How often a timeout fired because the VM stopped: QEMU says that it does, and the device fires. */
function meetings(trace: string): number {
  const lines = trace.split('\n');
  return lines.filter(
    (line, index) => line.startsWith(FIRED) && lines[index - 1]?.startsWith(`${STOPPED} running 0`),
  ).length;
}
