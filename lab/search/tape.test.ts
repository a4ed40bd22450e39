// SPDX-License-Identifier: MIT
import { beforeEach, describe, expect, it } from 'vitest';
import { Tape } from './tape.js';
import type { Wire } from './wire.js';

/** Two pipes as they are used, without a QEMU at their other end. */
class Ends implements Wire {
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

let qemu: Ends;
let tape: Tape;
beforeEach(() => {
  qemu = new Ends();
  tape = new Tape(qemu, 50);
});

describe('Tape', () => {
  it('hears what is expected, however it is cut', async () => {
    const expected = 'IRQ raise 0\nOK 5\nOK 0x12\n';
    const heard = tape.exchange('a\nb\n', expected);
    for (const byte of expected) qemu.say(byte);
    expect(await heard).toEqual({ heard: 'same' });
  });

  it('keeps what comes before it is expected', async () => {
    qemu.say('IRQ lower 0\nOK\n');
    expect(await tape.exchange('', 'IRQ lower 0\n')).toEqual({ heard: 'same' });
    expect(await tape.exchange('a\n', 'OK\n')).toEqual({ heard: 'same' });
  });

  it('gives the first line that differs, whole', async () => {
    const heard = tape.exchange('a\nb\nc\n', 'OK 1\nOK 20\nOK 3\n');
    qemu.say('OK 1\nOK 2');
    qemu.say('9\nOK 3\n');
    const difference = { at: 5, expected: 'OK 20', actual: 'OK 29' };
    expect(await heard).toEqual({ heard: 'different', difference });
  });

  it('sees an interrupt that nobody expects, and one that does not come', async () => {
    const first = tape.exchange('a\n', 'OK\n');
    qemu.say('IRQ raise 0\nOK\n');
    expect(await first).toMatchObject({ difference: { at: 0, expected: 'OK', actual: 'IRQ raise 0' } });
    const second = tape.exchange('a\n', 'IRQ raise 0\nOK\n');
    qemu.say('OK\n');
    expect(await second).toMatchObject({ difference: { expected: 'IRQ raise 0', actual: 'OK' } });
  });

  it('says how far it came when QEMU goes, and when it says nothing', async () => {
    const silent = tape.exchange('a\nb\n', 'OK 1\nOK 2\n');
    qemu.say('OK 1\n');
    expect(await silent).toEqual({ heard: 'nothing', at: 5 });
    const lost = tape.exchange('a\n', 'OK\n');
    qemu.end();
    expect(await lost).toEqual({ heard: 'lost', at: 0 });
    expect(await tape.exchange('a\n', 'OK\n')).toEqual({ heard: 'lost', at: 0 });
  });

  it('sends as much at a time as there is room for', async () => {
    qemu.room = 3;
    const heard = tape.exchange('first\nsecond\n', 'OK\nOK\n');
    setTimeout(() => qemu.say('OK\nOK\n'), 20);
    expect(await heard).toEqual({ heard: 'same' });
    expect(qemu.sent).toBe('first\nsecond\n');
  });

  it('sends no more than what its answers have room for', async () => {
    const long = `${'x'.repeat(39_999)}\n`;
    const marks = [1, 2, 3].map((count) => ({ sent: 2 * count, heard: long.length * count }));
    const heard = tape.exchange('a\nb\nc\n', long.repeat(3), marks);
    const sent: string[] = [];
    for (let time = 0; time < 3; time++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      sent.push(qemu.sent);
      qemu.say(long);
    }
    expect(await heard).toEqual({ heard: 'same' });
    expect(sent).toEqual(['a\n', 'a\nb\n', 'a\nb\nc\n']);
  });

  it('counts answers without a look at them, interrupts not counted', async () => {
    const all = tape.drain('a\nb\nc\n', 3);
    for (const piece of ['OK 1\nI', 'RQ raise 0\nO', 'K IRQ\nFAIL\n']) qemu.say(piece);
    expect(await all).toBe(true);
    const lost = tape.drain('a\nb\n', 2);
    qemu.say('OK\nIRQ lower 0\n');
    qemu.end();
    expect(await lost).toBe(false);
  });

  it('records answers, interrupts not counted', async () => {
    const lines = tape.record('a\nb\n', 2, 1000);
    qemu.say('IRQ raise 0\nOK 1\nFAIL no\n');
    expect(await lines).toEqual(['IRQ raise 0', 'OK 1', 'FAIL no']);
  });
});
