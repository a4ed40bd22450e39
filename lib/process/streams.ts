// SPDX-License-Identifier: MIT
/** Pipes of a child that lose nothing before they are read and never hang after it has gone. */
import { PassThrough, type Readable } from 'node:stream';

/** Once its process group is gone, a pipe idle for this long is held open by a process outside the group. */
const HELD_OPEN_MS = 1000;

interface Buffered {
  readonly stream: NodeJS.ReadableStream;
  /** To be called when the writers are gone: resolves when all they wrote has been read, or buffered if nobody reads. */
  drained(): Promise<void>;
}

/**
 * The source flows into a small buffer at once, with backpressure, so whoever reads may come later.
 * A reader that gives up destroys it, and the writer's next write then fails.
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
  // pipe() by itself would only pause the source, and its writer would wait for ever.
  stream.once('close', () => source.destroy());
  source.pipe(stream);
  return {
    stream,
    async drained() {
      lastData = performance.now();
      const timer = setInterval(() => {
        // A reader that is slow is waited for; a writer outside the group is not.
        if (stream.writableNeedDrain) lastData = performance.now();
        else if (performance.now() - lastData > HELD_OPEN_MS) source.destroy();
      }, 100);
      await ended;
      clearInterval(timer);
    },
  };
}
