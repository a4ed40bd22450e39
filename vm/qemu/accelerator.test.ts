// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { StopwatchError } from '../../lib/errors.js';
import { chooseAccelerator, type HostFacts } from './accelerator.js';

const arm: HostFacts = { arch: 'arm64', kvmUsable: true };

describe('chooseAccelerator', () => {
  it.each([
    ['an aarch64 host with KVM', arm, 'realtime', 'kvm', 'the host is aarch64 and has KVM'],
    ['the deterministic clock', arm, 'icount', 'tcg', 'the deterministic clock (icount) needs TCG'],
    ['another processor', { ...arm, arch: 'x64' }, 'realtime', 'tcg', 'the host is x64, the guest aarch64'],
    [
      'no access',
      { ...arm, kvmUsable: false },
      'realtime',
      'tcg',
      '/dev/kvm is missing, or this user may not open it',
    ],
  ] as const)('auto: %s', (_name, host, clock, accelerator, reason) => {
    expect(chooseAccelerator(host, { accelerator: 'auto', clock })).toEqual({ accelerator, reason });
  });

  it('uses TCG when told to', () => {
    expect(chooseAccelerator(arm, { accelerator: 'tcg', clock: 'realtime' }).accelerator).toBe('tcg');
  });

  it.each([
    [arm, 'icount', 'Set vm.clock to realtime (--realtime), or vm.accelerator to auto.'],
    [{ ...arm, arch: 'x64' }, 'realtime', 'Set vm.accelerator to auto.'],
  ] as const)('refuses an unavailable KVM', (host, clock, hint) => {
    const choose = (): unknown => chooseAccelerator(host, { accelerator: 'kvm', clock });
    expect(choose).toThrow(StopwatchError);
    expect(choose).toThrow(expect.objectContaining({ code: 'bad-config', hint }));
  });
});
