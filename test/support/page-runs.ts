// SPDX-License-Identifier: MIT
/** For tests of the page: whole runs, with their event log, console and report, made by the models. */
import { consoleLine } from '../../vm/crosscheck/console-lines.js';
import { stopwatchChecker } from '../../device/stopwatch/checker/checker.js';
import { COMMAND, NS_PER_S } from '../../device/stopwatch/contract/contract.js';
import { KtapParser } from '../../vm/console/ktap.js';
import { type CheckedInstance, MachineCrosscheck } from '../../vm/crosscheck/index.js';
import { deviceResults, makeReport, type BuildTask, type RunReport } from '../../vm/report/report.js';
import { Recorder, type RecordedInstance } from '../../vm/report/page/recorder.js';
import type { Recording } from '../../vm/report/page/recording.js';
import type { BootResult, TestSuite } from '../../vm/types.js';
import { aBoot, circumstances } from './report.js';
import { TraceWriter } from './trace-writer.js';

export interface FixtureRun {
  readonly events: string;
  readonly console: Buffer;
  readonly instances: readonly RecordedInstance[];
  readonly report: RunReport;
}

export function recordingOf({ events, console, instances }: FixtureRun, most?: number): Recording {
  const recorder = new Recorder(instances, most);
  recorder.console(console);
  recorder.events(events);
  return recorder.end();
}

const MS = NS_PER_S / 1000n;
const [COMMAND_AT, STATUS_AT, ERROR_AT, ELAPSED_AT, TIMEOUT_AT] = [0x00, 0x08, 0x20, 0x28, 0x30];

/** Writes both logs side by side, as QEMU does. */
class Machine {
  readonly lines: string[] = [];
  readonly #console: Buffer[] = [];
  readonly #devices = new Map<string, TraceWriter>();
  readonly #written = new Map<TraceWriter, number>();
  #printed = 0;
  #line = '';
  now = 0n;

  constructor(ids: readonly string[]) {
    for (const [index, id] of ids.entries()) {
      const writer = new TraceWriter(
        { base: BigInt(0xc010000 + index * 0x20000), interrupt: 144 + index },
        id,
      );
      this.#devices.set(id, writer);
      writer.reset(0n);
    }
    this.#flush();
  }

  print(text: string | Buffer): void {
    this.#flush();
    const bytes = typeof text === 'string' ? Buffer.from(`${text}\r\n`) : text;
    this.#console.push(bytes);
    for (const byte of bytes) {
      this.#printed += 1;
      if (byte !== 10) this.#line += String.fromCharCode(byte);
      else {
        this.lines.push(consoleLine(this.#line.trimEnd(), this.#printed));
        this.#line = '';
      }
    }
  }

  /** Uses a device, at a later time. */
  use(id: string, after: bigint, action: (device: TraceWriter, now: bigint) => void): void {
    const device = this.#devices.get(id);
    if (device === undefined) throw new Error(`No ${id}`);
    this.now += after;
    action(device, this.now);
    this.#flush();
  }

  end(): void {
    for (const device of this.#devices.values()) {
      device.expire(this.now);
      device.end(this.now);
    }
    this.#flush();
  }

  get console(): Buffer {
    return Buffer.concat(this.#console);
  }

  #flush(): void {
    for (const device of this.#devices.values()) {
      const from = this.#written.get(device) ?? 0;
      const lines = device.lines();
      this.lines.push(...lines.slice(from));
      this.#written.set(device, lines.length);
    }
  }
}

function boot(machine: Machine): void {
  machine.print('[    0.000000] Booting Linux on physical CPU 0x0000000000 [0x411fd070]');
  machine.print('[    0.000000] Linux version 6.12.94 (stopwatch@stopwatch) #1 SMP');
  machine.print('[    0.031415] stopwatch c010000.stopwatch: version 2');
  machine.now = 40n * MS;
}

/** A test as the guest runs it. */
function test(machine: Machine, id: string): void {
  const command = (code: bigint, after = 3n * MS, dataLen = 0n): void =>
    machine.use(id, after, (device, now) => {
      device.write(now, COMMAND_AT, code, { dataLen });
      device.read(now + 400n, ERROR_AT);
      machine.now = now + 400n;
    });
  const status = (): void =>
    machine.use(id, MS, (device, now) => machine.print(`# observe status=${device.read(now, STATUS_AT)}`));
  machine.print(`stopwatch: test: ${id}`);
  machine.print('KTAP version 1');
  machine.print('1..4');
  status();
  machine.print('ok 1 binding');
  command(COMMAND.RESET);
  command(COMMAND.START);
  status();
  for (let at = 0; at < 12; at++) machine.use(id, 20n * MS, (device, now) => device.read(now, ELAPSED_AT));
  machine.print('ok 2 starting');
  command(COMMAND.PAUSE);
  status();
  command(COMMAND.PAUSE);
  machine.use(id, 60n * MS, (device, now) => device.read(now, ELAPSED_AT));
  machine.print('ok 3 pausing');
  command(COMMAND.START);
  machine.use(id, 5n * MS, (device, now) => device.write(now, TIMEOUT_AT, 400n * MS));
  machine.use(id, 400n * MS, (device, now) => device.expire(now));
  command(COMMAND.TIMEOUT_ACK);
  machine.print('# observe interrupts=1');
  machine.print('ok 4 expiry');
  machine.print('# Totals: pass:4 fail:0 xfail:0 xpass:0 skip:0 error:0');
  machine.print('# caused commands=5 interrupts=1');
  machine.print(`stopwatch: result: ${id} pass`);
}

function checkedAs(id: string, index: number, guest = true): RecordedInstance {
  const checked: CheckedInstance = {
    id,
    checker: stopwatchChecker({ slackNs: 0n, startAtBoot: true }),
    options: {
      guest,
      monitor: { accesses: {}, interrupt: 144 + index },
      replay: 'npx stopwatch crosscheck events.log',
    },
  };
  return { id, device: 'stopwatch', checked };
}

/** The report of these logs. */
function reportOf(
  { events, console, instances }: Omit<FixtureRun, 'report'>,
  different: Partial<BootResult> = {},
): RunReport {
  const crosscheck = new MachineCrosscheck(instances.flatMap(({ checked }) => checked ?? []));
  const suites: TestSuite[] = [];
  let parser: KtapParser | undefined;
  for (const line of console.toString('utf8').split(/\r?\n/)) {
    crosscheck.consoleLine(line);
    const [, word = '', id = '', result] =
      /^stopwatch: (test|result): (\S+)(?: (pass|fail|error))?$/.exec(line) ?? [];
    if (word === 'test') parser = new KtapParser();
    else if (word === 'result' && parser !== undefined)
      suites.push({
        id,
        result: result === 'pass' ? 'pass' : 'fail',
        ktap: parser.end(),
        lastLines: [],
        timing: { startMs: 700, endMs: 1400 },
      });
    else parser?.line(line);
  }
  crosscheck.feed(events);
  const verdicts = crosscheck.end();
  const tests = suites.flatMap(({ ktap }) => ktap.tests);
  const failed = tests.filter(({ status }) => status === 'not ok').length;
  const result: BootResult = aBoot({
    suites,
    ...(failed > 0
      ? { outcome: 'failed', reason: `${failed} of ${tests.length} tests failed` }
      : { reason: `${tests.length} tests passed` }),
    lastLines: console.toString('utf8').split(/\r?\n/).slice(-40),
    ...different,
  });
  const devices = instances.map(({ id, device, checked }) => ({
    id,
    root: '/project',
    properties: {},
    device: {
      description: { name: device, qemuType: device, properties: {} },
      ...(checked ? { checker: () => checked.checker } : {}),
    },
    files: {
      qemu: checked ? ['x.c'] : [],
      driver: undefined,
      kernelConfig: undefined,
      guest: [],
      programs: [],
      tests: [],
      stress: undefined,
    },
  }));
  return makeReport(
    result,
    deviceResults(devices, { expected: suites.map(({ id }) => id), suites, verdicts }),
    {
      ...circumstances,
      stages: [
        { name: 'boot', status: 'passed', durationMs: 700 },
        { name: 'test stopwatch', status: 'passed', durationMs: 650 },
        { name: 'cross-check', status: 'passed', durationMs: 2 },
      ],
      build: BUILD,
      files: Object.fromEntries(
        ['console', 'events', 'qemu']
          .map((name) => [name, `/project/reports/run/${name}.log`])
          .concat([
            ['directory', '/project/reports/run'],
            ['report', '/project/reports/run/report.json'],
          ]),
      ),
    },
  );
}

const task = (
  name: string,
  deps: string[],
  startMs: number,
  durationMs: number,
  reasons: string[],
): BuildTask => ({
  name,
  title: name.replace(':', ': '),
  deps,
  state: 'done',
  reasons,
  startMs,
  durationMs,
});
const BUILD: readonly BuildTask[] = [
  {
    name: 'qemu:extract',
    title: 'QEMU: extract',
    deps: [],
    state: 'fresh',
    reasons: [],
    startMs: null,
    durationMs: null,
  },
  task('qemu:build', ['qemu:extract'], 12, 5200, ['device/stopwatch/stopwatch.c changed']),
  task('driver:stopwatch', [], 14, 900, ['in driver/stopwatch changed: stopwatch.c']),
  task('guest:initramfs', ['driver:stopwatch'], 915, 120, [
    'its dependency driver:stopwatch is stale or has a new result',
  ]),
  task('vm:devicetree', ['qemu:build'], 5215, 90, ['its dependency qemu:build is stale or has a new result']),
];

function finish(
  machine: Machine,
  ids: readonly string[],
  {
    edit = (text: string) => text,
    boot: different,
    guest,
  }: {
    readonly edit?: (events: string) => string;
    readonly boot?: Partial<BootResult>;
    readonly guest?: boolean;
  } = {},
): FixtureRun {
  const run = {
    events: edit(machine.lines.map((line) => `${line}\n`).join('')),
    console: machine.console,
    instances: ids.map((id, index) => checkedAs(id, index, guest)),
  };
  return { ...run, report: reportOf(run, different) };
}

export function passed(): FixtureRun {
  const machine = new Machine(['stopwatch']);
  boot(machine);
  test(machine, 'stopwatch');
  machine.end();
  machine.print('[    1.100000] reboot: Power down');
  return finish(machine, ['stopwatch']);
}

function readTooHigh(events: string): string {
  return [
    /(stopwatch_read .* offset=0x28 value=)0x([0-9a-f]+)/g,
    /(ops_read .* addr 0xc010028 value )0x([0-9a-f]+)/g,
  ].reduce((text, pattern) => {
    let seen = 0;
    return text.replaceAll(pattern, (line, head: string, value: string) => {
      seen += 1;
      return seen === 8 ? `${head}0x${(BigInt(`0x${value}`) + 1_000_000n).toString(16)}` : line;
    });
  }, events);
}

/** ELAPSED_NS is read a millisecond too high, once. */
export function diverged(): FixtureRun {
  const machine = new Machine(['stopwatch']);
  boot(machine);
  test(machine, 'stopwatch');
  machine.end();
  return finish(machine, ['stopwatch'], {
    edit: readTooHigh,
    boot: { outcome: 'stopped', reason: 'the cross-check has failed' },
  });
}

export function failedTest(): FixtureRun {
  const run = passed();
  const text = run.console
    .toString('latin1')
    .replace('ok 3 pausing', '# expected 2, got 1\r\nnot ok 3 pausing')
    .replace('stopwatch pass', 'stopwatch fail');
  const changed = { ...run, console: Buffer.from(text, 'latin1') };
  return { ...changed, report: reportOf(changed) };
}

export function crashed(): FixtureRun {
  const machine = new Machine(['stopwatch']);
  boot(machine);
  machine.print('stopwatch: test: stopwatch');
  machine.print('KTAP version 1');
  machine.use('stopwatch', MS, (device, now) => device.write(now, COMMAND_AT, COMMAND.RESET));
  for (const line of [
    '[    0.052000] Unable to handle kernel NULL pointer dereference at virtual address 0000000000000008',
    '[    0.052010] Internal error: Oops: 0000000096000004 [#1] SMP',
    '[    0.052020] CPU: 0 UID: 0 PID: 71 Comm: cat Not tainted 6.12.94 #1',
    '[    0.052030] pc : stopwatch_show+0x1c/0x60 [stopwatch]',
    '[    0.052040] Call trace:',
    '[    0.052050]  stopwatch_show+0x1c/0x60 [stopwatch]',
    '[    0.052060]  dev_attr_show+0x20/0x60',
    '[    0.052070]  sysfs_kf_seq_show+0xa4/0x120',
    '[    0.052080] ---[ end trace 0000000000000000 ]---',
    '[    0.052090] Kernel panic - not syncing: Oops: Fatal exception',
  ])
    machine.print(line);
  return finish(machine, ['stopwatch'], {
    boot: { outcome: 'panicked', reason: 'Kernel panic - not syncing: Oops: Fatal exception', suites: [] },
  });
}

export function hung(): FixtureRun {
  const machine = new Machine(['stopwatch']);
  boot(machine);
  machine.print('stopwatch: test: stopwatch');
  machine.print('KTAP version 1');
  machine.print('1..4');
  machine.use('stopwatch', MS, (device, now) => device.read(now, STATUS_AT));
  machine.print('ok 1 binding');
  machine.use('stopwatch', MS, (device, now) => device.write(now, TIMEOUT_AT, 1n));
  return finish(machine, ['stopwatch'], {
    boot: { outcome: 'hung', reason: 'nothing on the console for 30 s', suites: [] },
  });
}

/** Two stopwatches, and a device of QEMU's own that nothing checks. */
export function several(): FixtureRun {
  const machine = new Machine(['stopwatch', 'lap']);
  boot(machine);
  test(machine, 'stopwatch');
  test(machine, 'lap');
  machine.end();
  const run = finish(machine, ['stopwatch', 'lap']);
  const instances = [...run.instances, { id: 'rng', device: 'virtio-rng' }];
  return { ...run, instances, report: reportOf({ ...run, instances }) };
}

export const HOSTILE = '</script><script>globalThis.pwned=1</script><img src=x onerror="globalThis.pwned=1">';

/** Everything that a guest can say. */
export function hostile(): FixtureRun {
  const machine = new Machine(['stopwatch']);
  boot(machine);
  machine.print(HOSTILE);
  machine.print(
    '\u001b[31mred\u001b[0m \u001b]0;title\u0007 \u202Egnp.exe <!-- <![CDATA[ ]]> {{x}} ${x} \u2028 `',
  );
  machine.print(Buffer.from([0, 1, 2, 0xff, 0xfe, 0xc3, 0x28, 0xed, 0xa0, 0x80, 0x0d, 0x0a]));
  const endless = Buffer.alloc(3 << 20, 'A');
  test(machine, 'stopwatch');
  machine.print('stopwatch: test: stopwatch');
  machine.print(`not ok 1 ${HOSTILE}`);
  machine.print('stopwatch: result: stopwatch fail');
  machine.end();
  const run = finish(machine, ['stopwatch'], { guest: false });
  const console = Buffer.concat([run.console, endless, Buffer.from(`\n${HOSTILE}\n`)]);
  const report = reportOf(
    { ...run, console },
    { outcome: 'failed', reason: HOSTILE, warnings: [HOSTILE], qemuMessages: [HOSTILE] },
  );
  return {
    ...run,
    console,
    report: { ...report, host: { ...report.host, command: HOSTILE, next: HOSTILE } },
  };
}

/** As many events as this, at least; QEMU's own trace of them is left out. */
export function long(events: number): FixtureRun {
  const machine = new Machine([]);
  boot(machine);
  const device = new TraceWriter();
  device.reset(0n);
  const commands = [COMMAND.START, COMMAND.PAUSE, COMMAND.RESET];
  const step = 137_731n;
  let now = 50n * MS;
  for (let turn = 0; device.entries.length < events; turn++, now += step) {
    const kind = turn % 9;
    if (kind === 0) device.write(now, COMMAND_AT, commands[Math.floor(turn / 9) % 3] ?? 0n);
    else if (kind === 4) device.write(now, TIMEOUT_AT, 400_000n);
    else if (kind === 7) device.write(now, COMMAND_AT, COMMAND.TIMEOUT_ACK);
    else device.read(now, kind === 2 ? STATUS_AT : ELAPSED_AT);
  }
  device.expire(now);
  device.end(now);
  const lines = [...device.lines(), ...machine.lines];
  const { console } = machine;
  const lenient = stopwatchChecker({ slackNs: NS_PER_S, startAtBoot: true });
  const instances = [
    { id: 'stopwatch', device: 'stopwatch', checked: { id: 'stopwatch', checker: lenient } },
  ];
  const run = { events: lines.map((line) => `${line}\n`).join(''), console, instances };
  return { ...run, report: reportOf(run) };
}
