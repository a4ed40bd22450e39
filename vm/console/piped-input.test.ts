// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../test/manual-clock.js';
import { PipedInput } from './piped-input.js';

/** A console with scripted output that records what was typed. */
function setUp() {
  const clock = new ManualClock();
  const typed: string[] = [];
  const quits: string[] = [];
  const machine = {
    prompt: '',
    send: (bytes: Uint8Array | string) => void typed.push(Buffer.from(bytes).toString()),
    stop: () => {},
    quit: (reason: string) => void quits.push(reason),
  };
  const input = new PipedInput(clock, machine, 15);
  const print = (text: string): void => {
    machine.prompt = (machine.prompt + text).split('\n').at(-1) ?? '';
    input.printed(Buffer.from(text));
  };
  /** Prints text, followed by a pause. */
  const shows = (text: string): void => {
    print(text);
    clock.advance(50);
  };
  return { clock, typed, quits, input, print, shows };
}

describe('PipedInput', () => {
  it('does not take the first half of a line for a prompt', () => {
    const { clock, typed, input, print, shows } = setUp();
    input.push(Buffer.from('one\n'));
    print('Linux version 6.12 #');
    clock.advance(49);
    print('1 SMP\n');
    clock.advance(100);
    expect(typed).toEqual([]);
    shows('/ # ');
    expect(typed).toEqual(['one\n']);
  });

  it('types one line at each prompt, and Ctrl-D at the end', () => {
    const { typed, input, print, shows } = setUp();
    input.push(Buffer.from('one\ntwo\nth'));
    input.push(Buffer.from('ree'));
    input.end();
    expect(typed).toEqual([]);
    print('Booting\n');
    shows('/ # ');
    expect(typed).toEqual(['one\n']);
    print('one\n');
    expect(typed).toEqual(['one\n']);
    shows('output\n/ # ');
    shows('two\n/ # ');
    shows('three\n/ # ');
    expect(typed).toEqual(['one\n', 'two\n', 'three\n', '\u0004']);
  });

  it('types what comes while the prompt is there already', () => {
    const { clock, typed, input, shows } = setUp();
    shows('$ ');
    input.push(Buffer.from('now\n'));
    clock.advance(50);
    expect(typed).toEqual(['now\n']);
  });

  it('does not take the prompt before the echo for a new one', () => {
    const { typed, input, print, shows } = setUp();
    input.push(Buffer.from('a\nb\n'));
    shows('# ');
    print('a');
    print('\n');
    expect(typed).toEqual(['a\n']);
  });

  it('goes on without a prompt after a while, sooner once something was typed', () => {
    const { clock, typed, input, print } = setUp();
    input.push(Buffer.from('read x\nanswer\n'));
    clock.advance(9999);
    expect(typed).toEqual([]);
    clock.advance(1);
    expect(typed).toEqual(['read x\n']);
    print('read x\n');
    clock.advance(2000);
    expect(typed).toEqual(['read x\n', 'answer\n']);
  });

  it('ends a machine that stays after the end of the input', () => {
    const { clock, typed, quits, input, print, shows } = setUp();
    input.end();
    shows('# ');
    expect(typed).toEqual(['\u0004']);
    clock.advance(14_000);
    print('still here\n');
    clock.advance(14_999);
    expect(quits).toEqual([]);
    clock.advance(1);
    expect(quits).toEqual(['the input ended, and the guest was quiet for 15 s']);
  });

  it('does nothing once stopped', () => {
    const { clock, typed, input } = setUp();
    input.push(Buffer.from('a\n'));
    input.stop();
    clock.advance(60_000);
    expect(typed).toEqual([]);
  });
});
