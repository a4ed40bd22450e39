// SPDX-License-Identifier: MIT
/** A child's pipes: they lose nothing before they are read, and never hang after it has ended. */
import { PassThrough, type Readable } from 'node:stream';

/** Once its process group is gone, a pipe idle for this long is held open by a process outside the group. */
const HELD_OPEN_MS = 1000;

interface Buffered {
  readonly stream: NodeJS.ReadableStream;
  /** Call it when the writers have ended. Resolves when all they wrote has been read, or buffered if there is no reader. */
  drained(): Promise<void>;
}

/**
 * The source flows into a small buffer at once, with backpressure, so a reader may attach later.
 * When the reader destroys it, the writer's next write fails.
 */
export function buffered(source: Readable): Buffered {
  const stream = new PassThrough();
  const ended = new Promise<void>((resolve) => {
    stream.once('end', resolve).once('close', resolve);
    stream.once('finish', () => {
      if (stream.readableFlowing === null && stream.listenerCount('readable') === 0) resolve();
    });
  });
  let lastData = 0;
  source.on('data', () => {
    lastData = performance.now();
  });
  source.on('error', () => {});
  source.once('close', () => {
    if (!stream.writableEnded) stream.end();
  });
  // pipe() alone would pause the source, and the writer would block.
  stream.once('close', () => source.destroy());
  source.pipe(stream);
  return {
    stream,
    async drained() {
      lastData = performance.now();
      const timer = setInterval(() => {
        // Wait for a slow reader, but not for a writer outside the group.
        if (stream.writableNeedDrain) lastData = performance.now();
        else if (performance.now() - lastData > HELD_OPEN_MS) source.destroy();
      }, 100);
      await ended;
      clearInterval(timer);
    },
  };
}
