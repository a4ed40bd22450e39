// SPDX-License-Identifier: MIT
/** `push`: new files into the VM that `run --serve` started, and the tests there. */
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { basename } from 'node:path';
import type { Finding } from '../../vm/console/console.js';
import { hostClock } from '../../vm/clock.js';
import { outcomeOf } from '../../vm/outcome.js';
import { KtapParser } from '../../vm/console/ktap.js';
import { exitStatus, testStatus } from '../../vm/console/observer.js';
import { LineSplitter } from '../../lib/lines.js';
import type { TestSuite } from '../../vm/types.js';
import type { Config } from '../config/schema.js';
import { EXIT, StopwatchError } from '../../lib/errors.js';
import type { Event } from '../engine/events.js';
import { deserializeError } from '../../lib/serialize-error.js';
import { layoutOf } from '../build/layout.js';
import { type Choice, chosen, pushables } from './pushable.js';
import { addressFile, addressSchema, type PushReply, type PushRequest, replySchema } from './serve.js';
import type { Result, Services } from '../config/services.js';
import { countTests, failedTests } from './test-run.js';

/** A plan of many tasks is one line. */
const LONGEST_REPLY = 16 * 1024 * 1024;

export interface PushOptions {
  /** Names of what is pushed; none: all there is. */
  readonly what: readonly string[];
  /** Only what is for this device. */
  readonly device?: string | undefined;
  /** Then run the tests of these devices there. */
  readonly test: boolean;
}

export async function push(services: Services, { what, device, test }: PushOptions): Promise<Result> {
  const socket = await connectToServer(services, { names: what, device });
  try {
    const told = await converse(services, socket, { names: [...what], device, test });
    return resultOf(told, { test, config: services.loaded.config });
  } finally {
    socket.destroy();
  }
}

/** What these saved files are in the guest, if anything; gives lines about it. Throws nothing. */
export async function pushSaved(services: Services, paths: readonly string[]): Promise<readonly string[]> {
  const { config, paths: places } = services.loaded;
  try {
    const devices = await services.devices();
    const what = pushables(config, layoutOf(config, places), devices).filter(({ sources }) =>
      sources.some((source) => paths.includes(source)),
    );
    if (what.length === 0) return [];
    const names = what.map(({ path }) => basename(path));
    const { error, verdict = [] } = await push({ ...services, emit: () => {} }, { what: names, test: false });
    return error === undefined ? verdict : [error.message];
  } catch (thrown) {
    const error: unknown = thrown instanceof AggregateError ? thrown.errors[0] : thrown;
    return [error instanceof Error ? error.message : String(error)];
  }
}

/** Throws 'nothing-serves', or 'bad-usage' where no VM could take this. What a killed server has left is as good as nothing. */
async function connectToServer(services: Services, choice: Choice): Promise<Socket> {
  const { config, paths } = services.loaded;
  const { work } = paths;
  const file = addressFile(work);
  try {
    const { socket: path } = addressSchema.parse(JSON.parse(await readFile(file, 'utf8')));
    const socket = connect(path);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return socket;
  } catch (cause) {
    // With modules: the server may have been started with them.
    const most: Config = { ...config, vm: { ...config.vm, driver: 'module' } };
    chosen(pushables(most, layoutOf(config, paths), await services.devices()), choice);
    throw new StopwatchError('nothing-serves', `No VM of ${work} takes new files`, {
      cause,
      hint: 'Start one, in another terminal: npx stopwatch run --serve',
    });
  }
}

/** The test of one device. `status`: of its program; undefined: it did not end. */
interface Ran {
  readonly id: string;
  readonly output: string[];
  status: number | undefined;
}

interface Told {
  readonly puts: readonly Extract<PushReply, { type: 'put' }>[];
  /** None where a push before them failed. */
  readonly tests: readonly Ran[];
  /** What the kernel said meanwhile. */
  readonly findings: readonly Finding[];
}

/** Throws what the server says went wrong, 'push-failed' when the machine ends, 'guest-hung', 'interrupted'. */
async function converse(
  { loaded, signal, emit }: Services,
  socket: Socket,
  request: PushRequest,
): Promise<Told> {
  const puts: Extract<PushReply, { type: 'put' }>[] = [];
  const findings: Finding[] = [];
  let names: readonly string[] | undefined;
  let tests: readonly Ran[] = [];
  const outputOf = (id: string): string[] => tests.find((test) => test.id === id)?.output ?? [];
  const lastLines = (): readonly string[] => tests.flatMap(({ output }) => output).slice(-15);
  const { silenceSeconds } = loaded.config.vm;
  let cancel: (() => void) | undefined;
  await new Promise<void>((resolve, reject) => {
    const hung = (): void =>
      reject(
        new StopwatchError('guest-hung', `The guest printed nothing for ${silenceSeconds} s`, {
          lastLines: lastLines(),
          hint: 'Look at its console: the terminal of `run --serve`.',
        }),
      );
    const take = (reply: PushReply): void => {
      cancel?.();
      if (reply.type === 'event') emit(eventOf(reply));
      else if (reply.type === 'plan') {
        ({ names } = reply);
        tests = reply.tests.map((id) => ({ id, output: [], status: undefined }));
      } else if (reply.type === 'put') puts.push(reply);
      else if (reply.type === 'output') outputOf(reply.id).push(reply.line);
      else if (reply.type === 'finding') findings.push({ kind: reply.kind, text: reply.text });
      else if (reply.type === 'ran') {
        const ran = tests.find(({ id }) => id === reply.id);
        if (ran !== undefined) ran.status = reply.status;
      } else if (reply.type === 'failed') reject(deserializeError(reply.error));
      else resolve();
      // A build takes its time, and a put has a limit of its own.
      const testing = names?.length === puts.length && tests.some(({ status }) => status === undefined);
      if (testing) cancel = hostClock.after(silenceSeconds * 1000, hung);
    };
    const splitter = new LineSplitter((line) => take(replySchema.parse(JSON.parse(line))), {
      longest: LONGEST_REPLY,
    });
    socket.on('data', (chunk: Buffer) => {
      try {
        splitter.push(chunk);
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
    const lost = (): void => {
      const doing = names?.[puts.length];
      reject(
        new StopwatchError(
          'push-failed',
          `The VM ended ${doing === undefined ? 'meanwhile' : `while it got ${doing}`}`,
          { lastLines: lastLines(), hint: 'Start it again: npx stopwatch run --serve' },
        ),
      );
    };
    socket.on('error', lost);
    socket.on('close', lost);
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    socket.write(`${JSON.stringify(request)}\n`);
  }).finally(() => cancel?.());
  return { puts, tests, findings };
}

function eventOf({ event, error }: Extract<PushReply, { type: 'event' }>): Event {
  return event.type === 'task-failed' && error !== undefined
    ? { ...event, error: deserializeError(error) }
    : event;
}

function resultOf(
  { puts, tests, findings }: Told,
  { test, config }: { readonly test: boolean; readonly config: Config },
): Result {
  const verdict = [
    ...puts.filter((put) => put.status === 0).map(({ name, text }) => `Pushed       ${name}: ${text}`),
    ...findings.map(({ text }) => `Warning      ${text}`),
  ];
  const failed = puts.find((put) => put.status !== 0);
  if (failed !== undefined) {
    const error = new StopwatchError('push-failed', `The guest did not take ${failed.name}: ${failed.text}`, {
      hint: 'What it had before is still there.',
    });
    return { exitCode: error.exitCode, error, verdict };
  }
  if (!test) return { exitCode: EXIT.passed, verdict, next: 'npx stopwatch push --test' };
  const suites = tests.map(suiteOf);
  if (suites.length === 0) return { exitCode: EXIT.passed, verdict: [...verdict, 'Guest test   no test'] };
  const several = suites.length > 1;
  const counts = suites.map(
    ({ id, ktap }) => `Guest test   ${several ? `${id}: ` : ''}${countTests([ktap])}`,
  );
  const told = [...verdict, ...counts];
  const { outcome, reason } = outcomeOf({
    guest: 'test_and_quit',
    expected: suites.map(({ id }) => id),
    suites,
    findings,
    splats: config.vm.splats,
    printedAnything: true,
    lastLine: '',
    ending: { by: 'itself' },
    shutdown: 'guest-shutdown',
    qemuMessages: [],
    exit: { code: 0, signal: undefined },
  });
  if (outcome === 'passed') return { exitCode: EXIT.passed, verdict: told };
  const lines = suites.flatMap(({ id, ktap }) => failedTests(ktap, several ? `${id}: ` : ''));
  const error = new StopwatchError('test-failed', `The guest failed its test: ${reason}`, {
    lastLines: lines.length > 0 ? lines : tests.flatMap(({ output }) => output).slice(-15),
    hint: 'Look into it at the shell of that VM.',
  });
  return { exitCode: error.exitCode, error, verdict: told };
}

/** By the same rules as a test of a whole run, where init says of the exit status what it means. */
function suiteOf({ id, output, status }: Ran): TestSuite {
  const parser = new KtapParser();
  for (const line of output) parser.line(line);
  const result = testStatus(status);
  const ktap = parser.started ? parser.end() : exitStatus({ id, result, status, lastLines: output });
  return { id, ktap, result, timing: { startMs: 0, endMs: 0 } };
}
