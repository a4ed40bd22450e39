// SPDX-License-Identifier: MIT
/** Reads QEMU's raw trace while it grows, and saves what concerns the devices. */
import { rmSync } from 'node:fs';
import type { Processes } from '../../lib/process/process.js';
import { EventLog } from './event-log.js';
import { type Dropped, TraceFilter, type TraceFilterOptions } from './trace-filter.js';

/** Free the disk blocks of the raw trace after reading this many bytes. */
const PUNCH = 64 * 1024 * 1024;

export interface TraceLogPorts {
  /** Saves the filtered trace. */
  readonly save: (bytes: Uint8Array) => void;
  /** Saves QEMU's messages about guest errors. */
  readonly message: (bytes: Uint8Array) => void;
  readonly processes: Processes;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * The raw file is next to the filtered one and is removed at the end. Disk blocks are freed once they have been read,
 * because each byte on the console causes 190 bytes of trace.
 */
export class TraceLog {
  readonly raw: string;
  readonly #log: EventLog;
  readonly #filter: TraceFilter;
  readonly #ports: TraceLogPorts;
  #use: (bytes: Uint8Array) => void = () => {};
  #read = 0;
  #released = 0;
  /** Size of the filtered trace, bytes. */
  size = 0;

  /** Throws StopwatchError. */
  constructor(path: string, options: TraceFilterOptions, ports: TraceLogPorts) {
    this.raw = `${path}.raw`;
    this.#log = new EventLog(this.raw);
    this.#ports = ports;
    this.#filter = new TraceFilter(
      options,
      (bytes) => {
        this.size += bytes.length;
        ports.save(bytes);
        this.#use(bytes);
      },
      ports.message,
    );
  }

  get dropped(): Dropped {
    return this.#filter.dropped;
  }

  /** Like EventLog.read, but `use` gets the filtered trace after it was saved. */
  read(use: (bytes: Uint8Array) => void, chunks?: number): boolean {
    this.#use = use;
    const isMore = this.#log.read((bytes) => {
      this.#read += bytes.length;
      this.#filter.push(bytes);
    }, chunks);
    if (this.#read - this.#released >= PUNCH) {
      this.#released = this.#read;
      void this.#release();
    }
    return isMore;
  }

  /** Frees the disk blocks of trace that has been read, if the file system supports it. */
  async #release(): Promise<void> {
    const args = ['--punch-hole', '--offset', '0', '--length', String(this.#read), this.raw];
    const { processes, env } = this.#ports;
    const { signal } = new AbortController();
    await processes.run({ file: 'fallocate', args, env }, { signal }).catch(() => {});
  }

  /** Reads the rest after QEMU has exited. */
  end(use: (bytes: Uint8Array) => void): void {
    this.read(use);
    this.#log.checkSpace();
    this.#filter.end();
  }

  close(): void {
    this.#log.close();
    rmSync(this.raw, { force: true });
  }
}
