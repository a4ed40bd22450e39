// SPDX-License-Identifier: MIT
/** `replay --gdb`: stops the recorded machine before the instruction that makes an event, for a debugger. */
import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { hostClock } from '../../vm/clock.js';
import { instructionBefore } from '../../vm/replay/replay-seek.js';
import { Replayed, type ReplayedPorts, seqOf } from '../../vm/replay/replayed.js';
import { baseEnvironment } from '../../lib/environment.js';
import { EXIT, StopwatchError } from '../../lib/errors.js';
import { printable } from '../../lib/printable.js';
import { shellQuote } from '../../lib/process/process.js';
import { runFiles } from '../build/machine.js';
import { attachCommand, gdbStub } from './gdb.js';
import { withConsoleOutput } from './console-output.js';
import type { Layout } from '../build/layout.js';
import type { Recorded } from './recording.js';
import { type EventPlace, layoutOfRecorded, recordedReport } from './replay.js';
import type { Result, Services } from '../config/services.js';
import { sha256File } from '../../lib/files/sha256.js';

/** Returns when the machine has ended: a debugger continued to its end, or killed it. */
export async function standBefore(
  services: Services,
  recorded: Recorded,
  { address, at }: { readonly address: string; readonly at: EventPlace | undefined },
): Promise<Result> {
  const layout = layoutOfRecorded(services, recorded);
  const { id, seq } = at === undefined ? await divergence(recorded) : { id: idOf(recorded, at), seq: at.seq };
  const event = await eventOf(runFiles(recorded.directory, '').events, id, seq);
  const name = recorded.parts.devices.length > 1 ? `event ${seq} of ${id}` : `event ${seq}`;
  const ports: ReplayedPorts = {
    processes: await services.processes(),
    clock: hostClock,
    env: baseEnvironment(services.environment),
    signal: services.signal,
  };
  const directory = await mkdtemp(join(tmpdir(), 'stopwatch-replay-'));
  const task = 'vm:replay';
  const request = {
    parts: recorded.parts,
    events: join(directory, 'events.log'),
    id,
    directory,
    more: ['-S'],
  };
  try {
    services.emit({ type: 'notice', task, text: `looking for the instruction that makes ${name}` });
    // One instruction takes one nanosecond, so this is an upper limit; sleeps take time without instructions.
    const most = event.now + 1n;
    const before = await instructionBefore(seq, most, async () => Replayed.start(request, ports));
    if (before === undefined) {
      throw new StopwatchError('invalid-evidence', `The replay has no ${name}, but the recording has`, {
        log: request.events,
      });
    }
    const machine = await Replayed.start({ ...request, more: gdbStub(address) }, ports);
    try {
      if (before > 0n) await machine.runTo(before);
      await services.release();
      const attach = attachCommand(layout, address, services.environment['PATH'] ?? '', {
        roots: recorded.parts.devices.map(({ root }) => root),
      });
      const same = (await sha256File(layout.kernel).catch(() => undefined)) === recorded.sums.kernel;
      const handler = recorded.parts.devices.find((device) => device.id === id)?.device.description
        .writeHandler;
      const lines = [
        `The machine stands after ${before} instructions. The next one makes ${name}:`,
        `  ${event.line}`,
        'To attach:',
        `  ${attach}`,
        'stepi makes the event; kill ends the machine.',
        ...(handler === undefined
          ? []
          : ['To see it in the device, before that:', `  ${attachToQemu(machine.pid, handler, layout)}`]),
        ...(same ? [] : ['The kernel has been rebuilt since the recording, so its symbols do not match.']),
      ];
      await withConsoleOutput(services, async (output) => {
        output.write(`${lines.map(printable).join('\n')}\n`);
      });
      await machine.ended;
    } finally {
      await machine.end();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  services.signal.throwIfAborted();
  return { exitCode: EXIT.passed, next: 'npx stopwatch replay' };
}

/** QEMU continues at once, and stops in the write handler when the guest continues. */
function attachToQemu(pid: number, handler: string, layout: Layout): string {
  const commands = [
    'handle SIGUSR1 nostop noprint pass',
    `directory ${layout.tree('qemu')}`,
    `break ${handler}`,
  ];
  const all = [...commands, 'continue'].flatMap((line) => ['-ex', line]);
  return shellQuote({ file: 'gdb', args: ['-q', '-p', String(pid), ...all] });
}

/** The first divergence of the recorded run. Throws 'bad-usage' if there is none. */
async function divergence(recorded: Recorded): Promise<{ readonly id: string; readonly seq: bigint }> {
  const { result } = await recordedReport(recorded);
  const places = result.devices.flatMap(({ id, verdict }) =>
    verdict?.divergence
      ? { id, seq: BigInt(verdict.divergence.seq), now: BigInt(verdict.divergence.now) }
      : [],
  );
  const [first] = places.sort((one, other) => Number(one.now - other.now));
  if (first !== undefined) return first;
  throw new StopwatchError('bad-usage', 'The recorded run has no divergence before which --gdb could stop', {
    hint: `Say which event: --at ${seqWord(recorded)}, of those in ${runFiles(recorded.directory, '').events}`,
  });
}

/** Ids of the devices that have events. */
function tracedIds({ parts }: Recorded): readonly string[] {
  return parts.devices.flatMap(({ id, device }) => (device.description.traceEvents === undefined ? [] : id));
}

function seqWord(recorded: Recorded): string {
  return tracedIds(recorded).length > 1 ? 'ID:SEQ' : 'SEQ';
}

/** The device that is meant. Throws 'bad-usage' if that is not clear, or if it has no events. */
function idOf(recorded: Recorded, { id, seq }: EventPlace): string {
  const ids = tracedIds(recorded);
  const [only] = ids;
  if (id === undefined && only !== undefined && ids.length === 1) return only;
  if (id !== undefined && ids.includes(id)) return id;
  throw new StopwatchError('bad-usage', `--at: which device's event ${seq}?`, {
    hint: `Say it as ID:${seq}. These have events: ${ids.join(', ') || 'none'}.`,
  });
}

/** Finds an event in the recorded stream. Throws 'bad-usage' if none has this seq. */
async function eventOf(
  file: string,
  id: string,
  seq: bigint,
): Promise<{ readonly line: string; readonly now: bigint }> {
  let last: bigint | undefined;
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const found = seqOf(line, id);
    last = found ?? last;
    if (found === seq) return { line, now: BigInt(/ now=(\d+)/.exec(line)?.[1] ?? 0) };
  }
  throw new StopwatchError(
    'bad-usage',
    `There is no event ${seq} of ${id} in ${file}: the last one is ${last ?? 'none'}`,
  );
}
