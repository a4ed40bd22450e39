// SPDX-License-Identifier: MIT
/** What a server may cost, decided on a clock that the test moves. The servers of the world are in the integration test. */
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../test/manual-clock.js';
import { GuardedStore } from './guarded-store.js';
import { type RemoteStore, StoreError } from './store.js';

/** Answers at once with `answer`, after `tookMs` on the test's clock. */
class Server implements RemoteStore {
  tookMs = 1;
  answer: () => Buffer | undefined = () => Buffer.from('value');
  calls = 0;
  probes = 0;
  readonly kept = new Map<string, Buffer>();
  private held: (() => void)[] = [];
  holds = false;

  constructor(private readonly clock: ManualClock) {}

  async probe(): Promise<void> {
    this.probes++;
    this.answer();
  }
  async get(): Promise<Buffer | undefined> {
    this.calls++;
    this.clock.advance(this.tookMs);
    return this.answer();
  }
  async put(key: string, value: Buffer): Promise<void> {
    if (this.holds) await new Promise<void>((resolve) => this.held.push(resolve));
    this.answer();
    this.kept.set(key, value);
  }
  letGo(): void {
    this.holds = false;
    for (const go of this.held.splice(0)) go();
  }
  close(): void {}
}

function setUp({ jobs = 1, readOnly = false } = {}) {
  const clock = new ManualClock();
  const server = new Server(clock);
  const warnings: string[] = [];
  const warn = (text: string) => warnings.push(text);
  const guarded = new GuardedStore(server, {
    place: 'PLACE',
    jobs,
    timeoutMs: 2000,
    readOnly,
    warn,
    clock,
    waiting: clock,
  });
  return { clock, server, warnings, guarded };
}

const fails = (denied = false) => {
  return (): never => {
    throw new StoreError('it is broken', { denied });
  };
};

/** Asks so many times; gives how often the server was asked. */
async function ask({ server, guarded }: ReturnType<typeof setUp>, times: number): Promise<number> {
  const before = server.calls;
  for (let turn = 0; turn < times; turn++) await guarded.get(`key${turn}`);
  return server.calls - before;
}

describe('reading', () => {
  it('thousands of fast misses are free, and hits are worth waiting for', async () => {
    const lab = setUp();
    lab.server.answer = () => undefined;
    lab.server.tookMs = 4;
    expect(await ask(lab, 4000)).toBe(4000);
    lab.server.answer = () => Buffer.from('value');
    lab.server.tookMs = 70;
    expect(await ask(lab, 4000)).toBe(4000);
    expect(lab.guarded.use).toMatchObject({ hits: 4000, misses: 4000, errors: 0 });
    expect(lab.warnings).toEqual([]);
  });

  it.each([
    ['slow hits', 1075, 1, 5],
    ['slow hits, and more jobs to wait for them', 1075, 4, 20],
  ])('%s: asked no more when the grant is used up', async (_name, tookMs, jobs, calls) => {
    const lab = setUp({ jobs });
    lab.server.tookMs = tookMs;
    expect(await ask(lab, 100)).toBe(calls);
    expect(lab.warnings).toEqual([expect.stringContaining('PLACE is asked no more')]);
    // What is compiled is still worth having for the next one.
    lab.guarded.put('key', Buffer.from('x'));
    await lab.guarded.close(1000);
    expect(lab.server.kept.size).toBe(1);
  });

  it('slow misses use up the grant too', async () => {
    const lab = setUp();
    lab.server.answer = () => undefined;
    lab.server.tookMs = 105;
    expect(await ask(lab, 100)).toBe(50);
  });

  it('three failures in a row: left alone for 30 s, then asked again, then for 60 s', async () => {
    const lab = setUp();
    expect(await ask(lab, 1)).toBe(1);
    lab.server.answer = fails();
    expect(await ask(lab, 100)).toBe(3);
    expect(lab.warnings).toEqual([expect.stringMatching(/PLACE is left out: it is broken$/)]);
    lab.clock.advance(31_000);
    const { probes } = lab.server;
    // The one who finds that time has passed does not wait for the answer.
    expect(await ask(lab, 10)).toBe(0);
    expect(lab.server.probes).toBe(probes + 1);
    lab.clock.advance(31_000);
    expect(await ask(lab, 10)).toBe(0);
    expect(lab.server.probes).toBe(probes + 1);
    lab.server.answer = () => Buffer.from('value');
    lab.clock.advance(31_000);
    expect(await ask(lab, 1)).toBe(0);
    expect(await ask(lab, 10)).toBeGreaterThan(8);
    expect(lab.warnings).toHaveLength(1);
  });

  it('a failure now and then is forgiven', async () => {
    const lab = setUp();
    let turn = 0;
    lab.server.answer = () => (++turn % 3 === 0 ? fails()() : Buffer.from('value'));
    expect(await ask(lab, 300)).toBe(300);
  });

  it('denied: left alone for good, and the variables are named', async () => {
    const lab = setUp();
    lab.server.answer = fails(true);
    expect(await ask(lab, 10)).toBe(0);
    lab.clock.advance(1e9);
    expect(await ask(lab, 10)).toBe(0);
    expect(lab.server.probes).toBe(1);
    expect(lab.warnings).toEqual([expect.stringContaining('STOPWATCH_CACHE_PASSWORD')]);
  });
});

describe('writing', () => {
  it('waits for nobody, and the end waits for it', async () => {
    const lab = setUp();
    lab.server.holds = true;
    for (let turn = 0; turn < 20; turn++) lab.guarded.put(`key${turn}`, Buffer.from('x'));
    expect(lab.server.kept.size).toBe(0);
    const closed = lab.guarded.close(60_000);
    lab.server.letGo();
    await closed;
    expect(lab.server.kept.size).toBe(20);
    expect(lab.guarded.use).toMatchObject({ written: 20, notWritten: 0 });
  });

  it('what is not taken in time is left out, and counted', async () => {
    const lab = setUp();
    lab.server.holds = true;
    for (let turn = 0; turn < 20; turn++) lab.guarded.put(`key${turn}`, Buffer.from('x'));
    await lab.guarded.close(10);
    expect(lab.guarded.use).toMatchObject({ written: 0, notWritten: 20 });
  });

  it('keeps at most 48 MiB', async () => {
    const lab = setUp();
    lab.server.holds = true;
    for (let turn = 0; turn < 10; turn++) lab.guarded.put(`key${turn}`, Buffer.alloc(10 * 2 ** 20));
    expect(lab.guarded.use.notWritten).toBe(6);
    lab.server.letGo();
    await lab.guarded.close(1000);
    expect(lab.server.kept.size).toBe(4);
  });

  it('after three failures nothing more is written, and it is still read', async () => {
    const lab = setUp();
    await lab.guarded.get('key');
    const good = lab.server.answer;
    lab.server.answer = fails();
    for (let turn = 0; turn < 20; turn++) lab.guarded.put(`key${turn}`, Buffer.from('x'));
    await new Promise((resolve) => setImmediate(resolve));
    lab.server.answer = good;
    expect(await lab.guarded.get('key')).toEqual(Buffer.from('value'));
    lab.guarded.put('key', Buffer.from('x'));
    await lab.guarded.close(1000);
    expect(lab.guarded.use).toMatchObject({ written: 0, notWritten: 21 });
    expect(lab.warnings).toEqual([expect.stringContaining('PLACE is not written to any more: it is broken')]);
  });

  it('read-only: not at all', async () => {
    const lab = setUp({ readOnly: true });
    lab.guarded.put('key', Buffer.from('x'));
    await lab.guarded.close(1000);
    expect(lab.server.kept.size).toBe(0);
    expect(lab.guarded.use).toMatchObject({ written: 0, notWritten: 0 });
  });
});
