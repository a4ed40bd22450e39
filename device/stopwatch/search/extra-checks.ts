// SPDX-License-Identifier: MIT
/** What no script can show: the device on the host's clock, two devices in one machine, another counter, and a doorbell that does not wait. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type ExtraCheck,
  type MachinePorts,
  SEARCH_ID,
  SearchMachine,
  type SearchRequest,
} from '../../../lab/search/device-kit.js';
import { MachineCrosscheck } from '../../../vm/device-kit.js';
import { stopwatchChecker } from '../checker/checker.js';
import { TRACE } from '../checker/trace.js';
import {
  COMMAND,
  ERROR_BIT,
  MEM_PAGE,
  MEM_REQUESTS,
  offsetOf,
  PAGE,
  PAGE_SIZE,
  type RegisterName,
  REQUEST_COUNTER,
  REQUEST_SPLIT,
  REQUESTS_HEAD,
  REQUESTS_TAIL,
} from '../contract/contract.js';
import { MEM, readBytes, REGS, SECOND_REGS } from './bus.js';
import { entryAt, FREQUENCY } from './simulated.js';
import { ANY_TIME, checkTrace, INTERRUPT, summaryOf, TRACE_PATTERNS } from './trace-check.js';

/** Each takes about 1 ms; one in twenty catches a timeout on its way. */
const STOPS = 500;
/** Milliseconds after which it ends with fewer. */
const STOPS_MS = 5000;
/** Length of the first timeout, nanoseconds. */
const FIRST = 50_000;
/** The next timeout is longer or shorter by this factor, after one that expired too early or too late. */
const STEP = 1.1;
const FIRED = `${TRACE.prefix}timer`;
const STOPPED = 'vm_state_notify running 0';

/** Counts the files of this process, so that each has its own name. */
let files = 0;

/** Sends commands of qtest together, and resolves with an answer for each, and with the interrupts between them. */
type Ask = (...commands: readonly string[]) => Promise<readonly string[]>;

const asking =
  (machine: SearchMachine, silenceMs: number): Ask =>
  async (...commands) =>
    machine.qtest.record(`${commands.join('\n')}\n`, commands.length, silenceMs);

type MachineOptions = Pick<Parameters<typeof SearchMachine.start>[0], 'device' | 'clock' | 'more'>;

/** Runs `work` on a machine of its own, which traces these patterns. Resolves with its result and the whole trace. */
async function traced<T>(
  request: SearchRequest,
  ports: MachinePorts,
  { patterns, ...options }: MachineOptions & { readonly patterns: readonly string[] },
  work: (ask: Ask, machine: SearchMachine) => Promise<T>,
): Promise<{ readonly done: T; readonly trace: string }> {
  files += 1;
  const file = join(request.directory, `check-${process.pid}-${files}.log`);
  const trace = { patterns, newFile: () => file };
  try {
    const machine = await SearchMachine.start({ ...request, ...options, trace }, ports);
    let done: T;
    try {
      done = await work(asking(machine, request.silenceMs), machine);
    } finally {
      await machine.end();
    }
    return { done, trace: await readFile(file, 'utf8') };
  } finally {
    await rm(file, { force: true });
  }
}

/**
 * Stops the VM while a timeout expires, on the host's clock. qtest's clock
 * serves a due timer before anything else is done. The host's clock continues
 * while QEMU is about to serve the timer, and the VM may be stopped just then. A
 * due timeout must have fired when the VM has stopped: no timer of a stopped VM
 * is served, and its state may be saved.
 */
export const hostClockCheck: ExtraCheck = {
  name: 'hostClock',
  title: "Host's clock",
  async run(request, ports) {
    const { done, trace } = await traced(
      request,
      ports,
      { device: 'stopwatch', clock: 'host', patterns: [FIRED, 'vm_state_notify'] },
      async (ask, machine) => stops(ask, machine, ports.clock),
    );
    const met = meetings(trace);
    const summary = `${done.tries} stops of the VM around a timeout; at ${met} it was due and not yet served`;
    return { summary, wrong: done.wrong, data: { ...done, met } };
  },
};

async function stops(
  ask: Ask,
  machine: SearchMachine,
  clock: MachinePorts['clock'],
): Promise<{ readonly tries: number; readonly wrong?: string }> {
  let timeout = FIRST;
  const end = clock.now() + STOPS_MS;
  let tries = 0;
  while (tries < STOPS && clock.now() < end) {
    tries += 1;
    await Promise.all([ask(write('TIMEOUT_NS', timeout)), machine.stop()]);
    // An interrupt that the device raised by itself precedes this answer.
    await ask(`readq ${memAt(0)}`);
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
  return { tries };
}

/** The address of this offset in `mem`. */
const memAt = (at: number): string => `0x${(MEM + at).toString(16)}`;
const addressOf = (name: RegisterName, regs: number): string => `0x${(regs + offsetOf(name)).toString(16)}`;
const read = (name: RegisterName, regs = REGS): string => `readq ${addressOf(name, regs)}`;
const write = (name: RegisterName, value: number | bigint, regs = REGS): string =>
  `writeq ${addressOf(name, regs)} 0x${value.toString(16)}`;

/** How often a timeout fired because the VM stopped: QEMU traces the stop, and then the device fires. */
function meetings(trace: string): number {
  const lines = trace.split('\n');
  return lines.filter((line, index) => line.startsWith(FIRED) && lines[index - 1]?.startsWith(STOPPED))
    .length;
}

/** Uses two devices in turn: an access to one must not affect the other, and the trace of each must agree with the model. */
export const twoDevicesCheck: ExtraCheck = {
  name: 'twoDevices',
  title: 'Two devices',
  async run(request, ports) {
    const more = ['-device', `stopwatch,start_at_boot=off,id=${SECOND_ID}`];
    const options = { device: 'stopwatch', more, patterns: TRACE_PATTERNS };
    const { trace } = await traced(request, ports, options, async (ask) => ask(...inTurn()));
    return judgeTwo(trace);
  },
};

/** Ticks of 33 ns and a third: no whole number of nanoseconds. */
const ODD_HZ = 30_000_000;
/** SEQ to ERROR, as they should be after START: even, the flag, PAUSED, 700 ns, and no counter. */
const ODD_PAGE = { SEQ: 4n, FLAGS: 1n, STATE: 2n, ACCUMULATED: 700n, COUNTER: 0n, FREQUENCY: 0n, ERROR: 0n };

/** The counter of this machine is not the device's clock in whole nanoseconds: the live page must say so, and no request can be timed by it. */
export const unknownCounterCheck: ExtraCheck = {
  name: 'unknownCounter',
  title: 'Odd counter',
  async run(request, ports) {
    const more = ['-cpu', `cortex-a15,cntfrq=${ODD_HZ}`];
    const machine = await SearchMachine.start({ ...request, device: 'stopwatch', more }, ports);
    try {
      const answers = await asking(machine, request.silenceMs)(
        'clock_step 700',
        `writeq ${memAt(MEM_REQUESTS + REQUESTS_HEAD)} 1`,
        write('DOORBELL', 0),
        `readq ${memAt(entryAt(0n) + REQUEST_SPLIT)}`,
        write('COMMAND', COMMAND.PAUSE),
        `b64read ${memAt(MEM_PAGE)} ${PAGE_SIZE}`,
      );
      const bytes = Buffer.from(answers.at(-1)?.slice(3) ?? '', 'base64');
      const wrong = PAGE.flatMap(({ name, offset, bytes: size }) => {
        const expected = Object.entries(ODD_PAGE).find(([field]) => field === name)?.[1];
        const actual = readBytes(bytes, offset, size);
        return expected === undefined || expected === actual
          ? []
          : [`${name}: expected ${expected}, got ${actual}`];
      });
      const split = Number(answers.at(-3)?.split(' ')[1]);
      if (split !== 700) wrong.push(`a request: expected 700, got ${split}`);
      return {
        summary: `the live page says that a counter of ${ODD_HZ} Hz is not the device's clock`,
        data: {},
        wrong: wrong.length === 0 ? undefined : wrong.join('; '),
      };
    } finally {
      await machine.end();
    }
  },
};

/** Two doorbells: two requests, then a HEAD that is too far back; and what TAIL and ERROR become. */
const DOORBELLS = [
  { head: 2, tail: 2, error: 0 },
  { head: 1, tail: 2, error: 1 << ERROR_BIT.BAD_STATE },
];
/** How often TAIL and ERROR are read before the doorbell is taken to be lost. */
const LOOKS = 1000;

/** With `ioeventfd` the device is called after the write has returned, and QEMU's own trace does not show the write. */
export const doorbellCheck: ExtraCheck = {
  name: 'doorbell',
  title: 'Doorbell',
  async run(request, ports) {
    const options = { device: 'stopwatch,ioeventfd=on', patterns: TRACE_PATTERNS };
    const { done, trace } = await traced(request, ports, options, ringDoorbells);
    let wrong = done;
    const rung = trace.split(`\n${TRACE.prefix}doorbell `).length - 1;
    if (rung !== DOORBELLS.length) wrong ??= `${rung} events of ${DOORBELLS.length} writes to DOORBELL`;
    const { events, wrong: disagrees } = checkTrace(trace);
    const summary = `${DOORBELLS.length} writes by ioeventfd, ${events} events agree`;
    return { summary, data: { events }, wrong: wrong ?? disagrees };
  },
};

async function ringDoorbells(ask: Ask): Promise<string | undefined> {
  await ask('clock_step 1000', `writeq ${memAt(entryAt(1n) + REQUEST_COUNTER)} 20`);
  for (const { head, tail, error } of DOORBELLS) {
    await ask(`writeq ${memAt(MEM_REQUESTS + REQUESTS_HEAD)} ${head}`, write('DOORBELL', 7));
    let answers: readonly number[] = [];
    const done = (): boolean => answers[0] === tail && answers[1] === error;
    for (let look = 0; look < LOOKS && !done(); look++)
      answers = (await ask(`readq ${memAt(MEM_REQUESTS + REQUESTS_TAIL)}`, read('ERROR'))).map((line) =>
        Number(line.split(' ')[1]),
      );
    if (!done())
      return `HEAD ${head}: expected TAIL ${tail} and ERROR ${error}, got ${answers.join(' and ')}`;
  }
  return undefined;
}

const SECOND_ID = 'second';

const both = (name: RegisterName): string[] => [read(name), read(name, SECOND_REGS)];

/** Commands and timeouts for both, such that the two are never in the same state. */
function inTurn(): string[] {
  return [
    write('TIMEOUT_NS', 1000),
    'clock_step 400',
    write('TIMEOUT_NS', 1000, SECOND_REGS),
    write('COMMAND', COMMAND.START, SECOND_REGS),
    'clock_step 600',
    ...both('TIMEOUT_COUNT'),
    write('COMMAND', COMMAND.PAUSE),
    ...both('STATUS'),
    'clock_step 400',
    ...both('ELAPSED_NS'),
    write('COMMAND', COMMAND.TIMEOUT_ACK),
    ...both('ERROR'),
  ];
}

function judgeTwo(trace: string): Awaited<ReturnType<ExtraCheck['run']>> {
  const machine = new MachineCrosscheck(
    [
      { id: SEARCH_ID, regs: REGS, startAtBoot: true, interrupt: INTERRUPT },
      { id: SECOND_ID, regs: SECOND_REGS, startAtBoot: false, interrupt: INTERRUPT + 1 },
    ].map(({ id, regs, startAtBoot, interrupt }) => ({
      id,
      checker: stopwatchChecker({ slackNs: ANY_TIME, startAtBoot, frequency: FREQUENCY }),
      options: { monitor: { accesses: { base: BigInt(regs) }, interrupt }, atLeast: { interrupts: 1 } },
    })),
  );
  machine.feed(trace);
  const verdicts = machine.end();
  const wrong = verdicts.find(({ verdict }) => verdict.result !== 'agree');
  const sum = (count: 'events' | 'confirmed'): number =>
    verdicts.reduce((total, { verdict }) => total + verdict[count], 0);
  const data = { events: sum('events'), confirmed: sum('confirmed') };
  return {
    summary: `${data.events} events agree, ${data.confirmed} confirmed by QEMU's own trace`,
    data,
    wrong: wrong && `${wrong.id === SECOND_ID ? 'the second' : 'the first'}: ${summaryOf(wrong.verdict)}`,
  };
}
