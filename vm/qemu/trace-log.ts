// SPDX-License-Identifier: MIT
import { rmSync } from 'node:fs';
import { EventLog } from './event-log.js';
import { type Dropped, TraceFilter, type TraceFilterOptions } from './trace-filter.js';

/** Free the disk blocks of the raw trace after reading this many bytes. */
const PUNCH = 64 * 1024 * 1024;

export interface TraceLogPorts {
  /** Saves the filtered trace. */
  readonly save: (bytes: Uint8Array) => void;
  /** Saves QEMU's messages about guest errors. */
  readonly message: (bytes: Uint8Array) => void;
  /** Frees the disk blocks of a file's first bytes, if the file system supports it. */
  readonly release: (path: string, bytes: number) => void;
}

/**
 * Reads QEMU's raw trace while it grows, and saves the filtered trace.
 *
 * The raw file is next to the filtered one and is removed at the end. Disk blocks are freed once they have been read,
 * because each byte on the console causes 190 bytes of trace.
 */
export class TraceLog {
  readonly raw: string;
  readonly #log: EventLog;
  readonly #filter: TraceFilter;
  readonly #release: TraceLogPorts['release'];
  #use: (bytes: Uint8Array) => void = () => {};
  #read = 0;
  #released = 0;
  /** Size of the filtered trace, bytes. */
  size = 0;

  /** Throws StopwatchError. */
  constructor(path: string, options: TraceFilterOptions, { save, message, release }: TraceLogPorts) {
    this.raw = `${path}.raw`;
    this.#log = new EventLog(this.raw);
    this.#release = release;
    this.#filter = new TraceFilter(
      options,
      (bytes) => {
        this.size += bytes.length;
        save(bytes);
        this.#use(bytes);
      },
      message,
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
      this.#release(this.raw, this.#read);
    }
    return isMore;
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
