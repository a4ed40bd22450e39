// SPDX-License-Identifier: MIT
/** Chooses QEMU's accelerator, and explains the choice. */
import { accessSync, constants } from 'node:fs';
import { StopwatchError } from '../../lib/errors.js';
import type { BootOptions } from '../types.js';

/** Facts about the host that the choice depends on. */
export interface HostFacts {
  /** As in `process.arch`. */
  readonly arch: string;
  /** Whether `/dev/kvm` exists and this user may open it. */
  readonly kvmUsable: boolean;
}

export interface AcceleratorChoice {
  readonly accelerator: 'tcg' | 'kvm';
  /** For display, e.g. 'the host is x64, the guest aarch64'. */
  readonly reason: string;
}

export function hostFacts(): HostFacts {
  let kvmUsable = true;
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
  } catch {
    kvmUsable = false;
  }
  return { arch: process.arch, kvmUsable };
}

/** The reason why KVM cannot be used, or undefined. */
function obstacle(host: HostFacts, clock: BootOptions['vm']['clock']): string | undefined {
  if (clock === 'icount') return 'the deterministic clock (icount) needs TCG';
  if (host.arch !== 'arm64') return `the host is ${host.arch}, the guest aarch64`;
  if (!host.kvmUsable) return '/dev/kvm is missing, or this user may not open it';
  return undefined;
}

/** Throws StopwatchError 'bad-config' if KVM is configured but unavailable. */
export function chooseAccelerator(
  host: HostFacts,
  vm: Pick<BootOptions['vm'], 'accelerator' | 'clock'>,
): AcceleratorChoice {
  const against = obstacle(host, vm.clock);
  switch (vm.accelerator) {
    case 'tcg':
      return { accelerator: 'tcg', reason: 'vm.accelerator is tcg' };
    case 'kvm':
      if (against !== undefined) {
        throw new StopwatchError('bad-config', `vm.accelerator is kvm, but ${against}`, {
          hint:
            vm.clock === 'icount'
              ? 'Set vm.clock to realtime (--realtime), or vm.accelerator to auto.'
              : 'Set vm.accelerator to auto.',
        });
      }
      return { accelerator: 'kvm', reason: 'vm.accelerator is kvm' };
    case 'auto':
      return against === undefined
        ? { accelerator: 'kvm', reason: 'the host is aarch64 and has KVM' }
        : { accelerator: 'tcg', reason: against };
    default:
      return vm.accelerator satisfies never;
  }
}
