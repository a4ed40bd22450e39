// SPDX-License-Identifier: MIT
import { rmSync } from 'node:fs';
import { EventLog } from './event-log.js';
import { type Dropped, TraceFilter, type TraceFilterOptions } from './trace-filter.js';

/** Bytes of the raw trace between two removals of what has been read. */
const PUNCH = 64 * 1024 * 1024;

export interface TraceLogPorts {
  /** Saves what is kept. */
  readonly save: (bytes: Uint8Array) => void;
  /** Saves QEMU's messages about errors of the guest. */
  readonly message: (bytes: Uint8Array) => void;
  /** Gives the first bytes of a file back to the disk, if the file system can. */
  readonly release: (path: string, bytes: number) => void;
}

/**
 * QEMU's raw trace, read while it grows, sorted, and what is kept of it saved.
 *
 * The raw file is beside the one that is kept, and removed at the end. The blocks of what has been read are given back
 * on the way: a busy console makes 190 bytes of trace of each byte that it prints.
 */
export class TraceLog {
  readonly raw: string;
  readonly #log: EventLog;
  readonly #filter: TraceFilter;
  readonly #release: TraceLogPorts['release'];
  #use: (bytes: Uint8Array) => void = () => {};
  #read = 0;
  #released = 0;
  /** Bytes that were kept. */
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

  /** As EventLog's: `use` gets what is kept, after it has been saved. */
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

  /** QEMU has ended. */
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
