// SPDX-License-Identifier: MIT
/** Which of QEMU's accelerators runs the guest, and why. */
import { accessSync, constants } from 'node:fs';
import { StopwatchError } from '../../lib/errors.js';
import type { BootOptions } from '../types.js';

/** What the choice depends on. */
export interface HostFacts {
  /** As `process.arch` names it. */
  readonly arch: string;
  readonly platform: string;
  /** `/dev/kvm` is there and this user may open it. */
  readonly kvmUsable: boolean;
}

export interface AcceleratorChoice {
  readonly accelerator: 'tcg' | 'kvm';
  /** For people, e.g. 'the host is x64, the guest aarch64'. */
  readonly reason: string;
}

/** Looks at this host. */
export function hostFacts(): HostFacts {
  let kvmUsable = true;
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
  } catch {
    kvmUsable = false;
  }
  return { arch: process.arch, platform: process.platform, kvmUsable };
}

/** Why KVM cannot be used, or undefined if it can. */
function obstacle(host: HostFacts, clock: BootOptions['vm']['clock']): string | undefined {
  if (clock === 'icount') return 'the deterministic clock (icount) needs TCG';
  if (host.platform !== 'linux') return `KVM is Linux's, and the host is ${host.platform}`;
  if (host.arch !== 'arm64') return `the host is ${host.arch}, the guest aarch64`;
  if (!host.kvmUsable) return '/dev/kvm is missing or may not be opened by this user';
  return undefined;
}

/** Throws StopwatchError 'bad-config' when KVM is demanded and cannot be had. */
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
