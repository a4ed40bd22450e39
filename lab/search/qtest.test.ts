// SPDX-License-Identifier: MIT
import { beforeEach, describe, expect, it } from 'vitest';
import { type Pipes, QtestChannel } from './qtest.js';

/** Both pipes, without a QEMU at the other end. */
class FakePipes implements Pipes {
  sent = '';
  room = Number.POSITIVE_INFINITY;
  #coming: Buffer[] = [];
  #gone = false;

  say(text: string): void {
    this.#coming.push(Buffer.from(text, 'latin1'));
  }
  end(): void {
    this.#gone = true;
  }
  write(bytes: Buffer, from: number): number {
    const taken = bytes.toString('latin1', from, from + Math.min(bytes.length - from, this.room));
    this.sent += taken;
    return taken.length;
  }
  read(into: Buffer): number | undefined {
    const next = this.#coming.shift();
    if (next === undefined) return this.#gone ? undefined : 0;
    return next.copy(into);
  }
  close(): void {}
}

let qemu: FakePipes;
let channel: QtestChannel;
beforeEach(() => {
  qemu = new FakePipes();
  channel = new QtestChannel(qemu, 50);
});

describe('QtestChannel', () => {
  it('accepts what is expected, however it is split', async () => {
    const expected = 'IRQ raise 0\nOK 5\nOK 0x12\n';
    const result = channel.exchange('a\nb\n', expected);
    for (const byte of expected) qemu.say(byte);
    expect(await result).toEqual({ result: 'same' });
  });

  it('keeps what comes before it is expected', async () => {
    qemu.say('IRQ lower 0\nOK\n');
    expect(await channel.exchange('', 'IRQ lower 0\n')).toEqual({ result: 'same' });
    expect(await channel.exchange('a\n', 'OK\n')).toEqual({ result: 'same' });
  });

  it('returns the whole first line that differs', async () => {
    const result = channel.exchange('a\nb\nc\n', 'OK 1\nOK 20\nOK 3\n');
    qemu.say('OK 1\nOK 2');
    qemu.say('9\nOK 3\n');
    const difference = { at: 5, expected: 'OK 20', actual: 'OK 29' };
    expect(await result).toEqual({ result: 'different', mismatch: difference });
  });

  it('sees an interrupt that is not expected, and one that is missing', async () => {
    const first = channel.exchange('a\n', 'OK\n');
    qemu.say('IRQ raise 0\nOK\n');
    expect(await first).toMatchObject({ mismatch: { at: 0, expected: 'OK', actual: 'IRQ raise 0' } });
    const second = channel.exchange('a\n', 'IRQ raise 0\nOK\n');
    qemu.say('OK\n');
    expect(await second).toMatchObject({ mismatch: { expected: 'IRQ raise 0', actual: 'OK' } });
  });

  it('reports how far it got when QEMU exits or is silent', async () => {
    const silent = channel.exchange('a\nb\n', 'OK 1\nOK 2\n');
    qemu.say('OK 1\n');
    expect(await silent).toEqual({ result: 'silent', at: 5 });
    const closed = channel.exchange('a\n', 'OK\n');
    qemu.end();
    expect(await closed).toEqual({ result: 'closed', at: 0 });
    expect(await channel.exchange('a\n', 'OK\n')).toEqual({ result: 'closed', at: 0 });
  });

  it('sends as much at a time as there is room for', async () => {
    qemu.room = 3;
    const result = channel.exchange('first\nsecond\n', 'OK\nOK\n');
    setTimeout(() => qemu.say('OK\nOK\n'), 20);
    expect(await result).toEqual({ result: 'same' });
    expect(qemu.sent).toBe('first\nsecond\n');
  });

  it('sends no more than what its answers have room for', async () => {
    const long = `${'x'.repeat(39_999)}\n`;
    const marks = [1, 2, 3].map((count) => ({ sent: 2 * count, expected: long.length * count }));
    const result = channel.exchange('a\nb\nc\n', long.repeat(3), marks);
    const sent: string[] = [];
    for (let time = 0; time < 3; time++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      sent.push(qemu.sent);
      qemu.say(long);
    }
    expect(await result).toEqual({ result: 'same' });
    expect(sent).toEqual(['a\n', 'a\nb\n', 'a\nb\nc\n']);
  });

  it('records answers, interrupts not counted', async () => {
    const lines = channel.record('a\nb\n', 2, 1000);
    qemu.say('IRQ raise 0\nOK 1\nFAIL no\n');
    expect(await lines).toEqual(['IRQ raise 0', 'OK 1', 'FAIL no']);
  });
});
