// SPDX-License-Identifier: MIT
/** Describes the stopwatch's accesses, and reads what the guest prints. */
import type { Channel } from '../../../vm/device-kit.js';
import { registerAt, type RegisterName, STATUS } from '../contract/contract.js';
import { commandName, describeSnapshot, errorNames } from '../model/index.js';
import type { TraceEvent } from './trace.js';

/** Name of the trapping region in QEMU's memory tree, after the id of the device: `stopwatch-regs`. */
export const REGION = 'regs';

/** A value near the top of 64 bits stands for its bits: all of ERROR's are cleared so. */
const written = (value: bigint): string => (value >> 63n === 1n ? `0x${value.toString(16)}` : String(value));

/** Describes an event, and names its register if it is an access to one. */
export function words(event: TraceEvent): { readonly access: string; readonly register?: string } {
  switch (event.event) {
    case 'reset':
      return { access: 'machine reset' };
    case 'load':
      return { access: 'load of a saved state' };
    case 'timer':
      return { access: 'expiry of the timeout' };
    case 'end':
      return { access: 'end of the stream' };
    case 'error':
      return { access: `refused (${errorNames(event.raised)})` };
    case 'read':
    case 'write': {
      const register = registerAt(Number(event.offset))?.name;
      const where = register ?? `offset 0x${event.offset.toString(16)}`;
      const value = event.event === 'write' ? ` = ${written(event.value)}` : '';
      const command =
        register === 'COMMAND' && event.event === 'write' ? commandName(event.value) : undefined;
      const text = `${event.event} ${where}${value}${command ? ` (${command})` : ''}, ${event.size} bytes`;
      return register === undefined ? { access: text } : { access: text, register };
    }
    case 'mem':
      return { access: `data_len is ${event.dataLen}` };
    case 'text':
      return { access: `text '${event.text}'` };
    case 'lap':
      return { access: `lap ${event.laps} at ${event.split} ns` };
    case 'ring':
      return { access: `lap ring with ${event.laps} laps` };
    case 'doorbell':
      return { access: 'doorbell by ioeventfd' };
    case 'requests':
      return { access: `requests up to ${event.head}` };
    case 'request':
      return { access: `request with counter ${event.counter}` };
    case 'answer':
      return { access: `answer to request ${event.number}: ${event.split} ns` };
    case 'tail':
      return { access: `${event.taken} requests taken` };
    case 'page':
      return { access: `live page number ${event.pageSeq}` };
    case 'resume':
      return { access: 'continuation of the VM' };
    case 'irq':
      return { access: `interrupt ${event.level ? 'raised' : 'lowered'}` };
    case 'state': {
      const { status, timeout } = describeSnapshot(event);
      return { access: timeout === 'IDLE' ? `${status}` : `${status}, timeout ${timeout?.toLowerCase()}` };
    }
    default:
      return event satisfies never;
  }
}

const number = (printed: string): string | undefined => (/^\d+$/.test(printed) ? printed : undefined);

/** Channels of what the guest reads from registers. */
export const READ_CHANNELS: Partial<Record<RegisterName, string>> = {
  STATUS: 'status',
  ELAPSED_NS: 'elapsed_ns',
};

/**
 * `text=12.34 seconds`, `status=2` or `status=PAUSED`, `elapsed_ns=5`, `interrupts=3`, as the guest's test prints them;
 * `lap=5`, an entry of the ring; `page=SEQ STATE ACCUMULATED`, read from the live page, once for each SEQ.
 */
export const CHANNELS: Readonly<Record<string, Channel>> = {
  text: { kind: 'event', normalise: (printed) => printed },
  status: {
    kind: 'event',
    normalise: (printed) => {
      const named = Object.entries(STATUS).find(([name]) => name === printed.toUpperCase());
      return named ? String(named[1]) : number(printed);
    },
  },
  elapsed_ns: { kind: 'event', normalise: number },
  interrupts: { kind: 'level', normalise: number },
  lap: { kind: 'event', normalise: number },
  page: { kind: 'event', normalise: (printed) => (/^\d+( \d+){2}$/.test(printed) ? printed : undefined) },
};
