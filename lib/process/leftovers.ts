// SPDX-License-Identifier: MIT
/**
 * No process is left behind, however this one dies.
 *
 * setpriv makes the kernel kill our direct children with us, but not what they started. So every
 * process group is (1) told to a watchdog, a shell that waits for our end of a pipe to close and
 * then kills the groups still listed, and (2) recorded in the work directory, for the case that
 * the watchdog was killed too: the next start ends those before anything is written.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { baseEnvironment } from '../environment.js';
import { endGroup, groupMembers, processStat } from './group.js';
import { type Child, createProcesses, type Processes } from './process.js';
import { runToEnd } from './run-to-end.js';

/** In the environment of every recorded process: tells ours from a stranger's with a reused number. */
const MARK = 'STOPWATCH_GROUP';

const groupSchema = z.object({ mark: z.string(), bootId: z.string(), startTime: z.string().optional() });

interface GroupRecord {
  /** The same port, with every group that it starts recorded. */
  readonly processes: Processes;
  /** Stops the watchdog. To be called when no process runs any more. */
  close(): Promise<void>;
}

/** `directory` is for this alone; it is made if needed. */
export function recordGroups(processes: Processes, directory: string): GroupRecord {
  mkdirSync(directory, { recursive: true });
  const mark = randomUUID();
  const watchdog = createWatchdog();
  const spawn: Processes['spawn'] = async (command, options) => {
    // The watchdog comes first, so that there is no moment without it.
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
    processes: { spawn, run: (command, options) => runToEnd(spawn, command, options) },
    close: () => watchdog.stop(),
  };
}

/** Ends the groups that a killed run has left, and forgets them. Gives the numbers of those that were still alive. */
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
      if (Number.isInteger(leader) && leader > 1 && isOurs(leader, file)) {
        ended.push(leader);
        await endGroup(leader, 0);
      }
      rmSync(file, { force: true });
    }),
  );
  return ended;
}

/** True when the group has living members and is the one that was recorded, not a later one with the same number. */
function isOurs(leader: number, file: string): boolean {
  let record: z.infer<typeof groupSchema>;
  try {
    record = groupSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    // Cut off while it was written: the leader had just been started, and died with its parent.
    return false;
  }
  if (record.bootId !== bootId()) return false;
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

/** Differs after every boot; a container's restart is not one. Empty where the system has none. */
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
      // It must outlive us: that is what it is for.
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
