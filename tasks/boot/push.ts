// SPDX-License-Identifier: MIT
/** `push`: sends requests to the VM that `run --serve` started, and shows its replies. */
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { basename } from 'node:path';
import { LineSplitter } from '../../lib/lines.js';
import type { Config } from '../config/schema.js';
import { StopwatchError } from '../../lib/errors.js';
import { deserializeError } from '../../lib/serialize-error.js';
import { layoutOf } from '../build/layout.js';
import { type Choice, chosen, pushables } from './pushable.js';
import {
  addressFile,
  type AttachRequest,
  type PushReply,
  type PushRequest,
  type ServerAddress,
  vmEnded,
} from './serve.js';
import type { Result, Services } from '../config/services.js';

/** The plan of all tasks is one line. */
const LONGEST_REPLY = 16 * 1024 * 1024;

export interface PushOptions {
  /** Names of what is pushed; empty: everything. */
  readonly what: readonly string[];
  /** Only the files of this device. */
  readonly device?: string | undefined;
  /** Then run the tests of these devices there. */
  readonly test: boolean;
}

/** Throws the server's error, 'push-failed' if the machine ends, or 'interrupted'. */
export async function pushFiles(services: Services, { what, device, test }: PushOptions): Promise<Result> {
  const { silenceSeconds } = services.loaded.config.vm;
  return converse(services, { names: what, device, test, silenceSeconds });
}

/** `onPorts`: called with the directory of the ports for a command; returns the client's next line. */
export async function converse(
  services: Services,
  request: PushRequest | AttachRequest,
  onPorts?: (directory: string) => Promise<string>,
): Promise<Result> {
  const { signal, emit } = services;
  const socket = await connectToServer(services, 'attach' in request ? { names: [] } : request);
  const onAbort = (): void => void socket.destroy(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line), { longest: LONGEST_REPLY });
  try {
    socket.write(`${JSON.stringify(request)}\n`);
    for await (const chunk of socket) {
      splitter.push(chunk);
      for (const line of lines.splice(0)) {
        const { event, result, ports, error }: PushReply = JSON.parse(line);
        const failure = error && deserializeError(error);
        if (event !== undefined)
          emit(event.type === 'task-failed' && failure ? { ...event, error: failure } : event);
        else if (ports !== undefined) socket.write(`${await onPorts?.(ports)}\n`);
        else if (result !== undefined) return { ...result, error: failure };
        else if (failure !== undefined) throw failure;
      }
    }
  } catch (error) {
    if (error instanceof StopwatchError) throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
    socket.destroy();
  }
  throw vmEnded();
}

/** Pushes what these saved files are in the guest; returns lines about it. Never throws. */
export async function pushSaved(services: Services, paths: readonly string[]): Promise<readonly string[]> {
  const { config, paths: places } = services.loaded;
  try {
    const devices = await services.devices();
    const what = pushables(config, layoutOf(config, places), devices).filter(({ sources }) =>
      sources.some((source) => paths.includes(source)),
    );
    if (what.length === 0) return [];
    const names = what.map(({ path }) => basename(path));
    const { error, verdict = [] } = await pushFiles(
      { ...services, emit: () => {} },
      { what: names, test: false },
    );
    return error === undefined ? verdict : [error.message];
  } catch (thrown) {
    const error: unknown = thrown instanceof AggregateError ? thrown.errors[0] : thrown;
    return [error instanceof Error ? error.message : String(error)];
  }
}

/** Throws 'nothing-serves' if no VM serves, also if a killed one left its address, and 'bad-usage' if no VM could take this. */
async function connectToServer(services: Services, choice: Choice): Promise<Socket> {
  const { config, paths } = services.loaded;
  const { work } = paths;
  const file = addressFile(work);
  try {
    const { socket: path }: ServerAddress = JSON.parse(await readFile(file, 'utf8'));
    const socket = connect(path);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return socket;
  } catch (cause) {
    // Assume modules: the server may have been started with them.
    const most: Config = { ...config, vm: { ...config.vm, driver: 'module' } };
    chosen(pushables(most, layoutOf(config, paths), await services.devices()), choice);
    throw new StopwatchError('nothing-serves', `No VM of ${work} takes new files`, {
      cause,
      hint: 'Start one, in another terminal: npx stopwatch run --serve',
    });
  }
}
