// SPDX-License-Identifier: MIT
/**
 * Leaves no process behind, however this one dies.
 *
 * setpriv makes the kernel kill our direct children with us, but not their children. So every
 * process group is (1) reported to a watchdog, a shell that kills the listed groups when our end of
 * its pipe closes, and (2) recorded in the work directory, in case the watchdog is killed too: the
 * next start ends those groups before it writes anything.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { StopwatchError } from '../errors.js';
import { readJson } from '../read-json.js';
import { baseEnvironment } from '../environment.js';
import { endGroup, groupMembers, processStat } from './group.js';
import { type Child, createProcesses, type Processes } from './process.js';
import { withRun } from './run-to-end.js';

/** Set in the environment of every recorded process: distinguishes it from a later process with the same pid. */
const MARK = 'STOPWATCH_GROUP';

const groupSchema = z.object({ mark: z.string(), bootId: z.string(), startTime: z.string().optional() });

interface GroupRecord {
  /** The same port; records every group that it starts. */
  readonly processes: Processes;
  /** Stops the watchdog. Call it when no process runs any more. */
  close(): Promise<void>;
}

/** Creates `directory`, which is for these records only. */
export function recordGroups(processes: Processes, directory: string): GroupRecord {
  mkdirSync(directory, { recursive: true });
  const mark = randomUUID();
  const watchdog = createWatchdog();
  const spawn: Processes['spawn'] = async (command, options) => {
    // Before the first child.
    await watchdog.start();
    const child = await processes.spawn({ ...command, env: { ...command.env, [MARK]: mark } }, options);
    const file = join(directory, String(child.pid));
    watchdog.send(`+ ${child.pid}`);
    try {
      writeFileSync(
        file,
        JSON.stringify({ mark, bootId: bootId(), startTime: processStat(child.pid)?.startTime }),
      );
    } catch (error) {
      await child.end();
      throw error;
    }
    void child.exited.then(() => {
      watchdog.send(`- ${child.pid}`);
      rmSync(file, { force: true });
    });
    return child;
  };
  return {
    processes: withRun(spawn),
    close: () => watchdog.stop(),
  };
}

/**
 * Ends the groups that a killed run has left, and forgets them. Returns the leaders of those that were alive. Throws
 * 'locked' when one survives SIGKILL: it may still write.
 */
export async function endLeftovers(directory: string): Promise<number[]> {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch {
    return [];
  }
  const ended: number[] = [];
  await Promise.all(
    names.map(async (name) => {
      const file = join(directory, name);
      const leader = Number(name);
      if (Number.isInteger(leader) && leader > 1 && isRecorded(leader, file)) {
        ended.push(leader);
        if (!(await endGroup(leader, 0))) {
          throw new StopwatchError('locked', `Process ${leader} of an earlier run cannot be ended`, {
            hint: 'It hangs in the kernel, often because a disk or a network file system does not answer. Wait for it, or restart the host.',
          });
        }
      }
      rmSync(file, { force: true });
    }),
  );
  return ended;
}

/** True when the group has living members and is the recorded one, not a later one with the same number. */
function isRecorded(leader: number, file: string): boolean {
  // Undefined when the write was cut off: the leader had just started, and died with its parent.
  const record = readJson(file, groupSchema);
  if (record === undefined || record.bootId !== bootId()) return false;
  const stat = processStat(leader);
  if (stat !== undefined && stat.state !== 'Z') return stat.startTime === record.startTime;
  return (groupMembers(leader) ?? []).some((member) => hasMark(member.pid, record.mark));
}

function hasMark(pid: number, mark: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(`${MARK}=${mark}`);
  } catch {
    return false;
  }
}

/** Changes with every boot of the machine, not of a container. */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

const WATCH = `
groups=' '
while read -r sign group; do
  case $sign in
    +) groups="$groups$group " ;;
    -) groups="\${groups%% $group *} \${groups#* $group }" ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
`;

function createWatchdog() {
  const abort = new AbortController();
  let child: Promise<Child> | undefined;
  let stdin: NodeJS.WritableStream | null = null;
  return {
    async start(): Promise<void> {
      // It must outlive us.
      child ??= createProcesses({ dieWithParent: false }).spawn(
        { file: 'sh', args: ['-c', WATCH], env: baseEnvironment() },
        { signal: abort.signal, stdin: 'pipe', stdout: 'inherit', stderr: 'inherit' },
      );
      ({ stdin } = await child);
    },
    send(line: string): void {
      stdin?.write(`${line}\n`);
    },
    async stop(): Promise<void> {
      if (child === undefined) return;
      stdin?.end();
      await (await child).exited;
    },
  };
}
