// SPDX-License-Identifier: MIT
/**
 * The independent monitor: compares the device's trace with QEMU's own trace of
 * accesses to the device's region and of its interrupt.
 *
 * In QEMU 10.0, `memory_region_ops_write` is traced before the device's write
 * function is called, and `memory_region_ops_read` after its read function has
 * returned (system/memory.c), with the absolute address. Both hold the device's
 * lock, so no other event of the device can come in between. The interrupt
 * controllers trace an input only when its level changes (hw/intc/arm_gic.c,
 * arm_gicv3_dist.c), within the device's call. A machine reset may have cleared
 * the level before.
 */
import type { Access, InvalidReason } from './types.js';

export interface MonitorOptions {
  /** Check accesses against `memory_region_ops_*`. `base`: guest-physical address of the region; by default taken from the first access. */
  readonly accesses?: { readonly base?: bigint };
  /** Check edges of this interrupt against the controller's trace. GIC interrupt id: 32 + the SPI number in the device tree. */
  readonly interrupt?: number;
}

/** A disagreement: `expected` is the monitor's value, `actual` the device's. */
export interface Disagreement {
  readonly field: string;
  readonly expected: string;
  readonly actual: string;
}

interface MonitoredAccess extends Omit<Access, 'offset'> {
  readonly address: bigint;
}

/** Prefix of QEMU's own trace lines about accesses. */
export const OPERATION = 'memory_region_ops_';
const OPERATION_LINE =
  /^memory_region_ops_(read|write) cpu -?\d+ mr \S+ addr (0x[0-9a-f]+) value (0x[0-9a-f]+) size (\d+) name '/;
/** Matches an interrupt and its level: groups 1 and 2 for GICv2 (and v1, 11MPCore), 3 and 4 for GICv3 and v4. */
export const INTERRUPT_LINE =
  /^(?:gic_set_irq irq (\d+) level (\d)|gicv3_dist_set_irq GICv3 distributor interrupt (\d+) level changed to (\d))\b/;

const hex = (value: bigint): string => `0x${value.toString(16)}`;
const wordsOf = ({ direction, value, size }: Omit<Access, 'offset'>, where: string): string =>
  `${direction} of ${size} bytes at ${where}, value ${hex(value)}`;
const NOTHING = 'nothing';

/** Tells a monitor that is switched off, and never reports anything, from an active one that misses an event. */
class Activity {
  private first: Disagreement | undefined;
  unseen = 0;
  active = false;

  /** The device reported an event that the monitor did not. A disagreement only if the monitor is active. */
  missing(disagreement: Disagreement): Disagreement | undefined {
    if (this.active) return disagreement;
    this.unseen += 1;
    this.first ??= disagreement;
    return undefined;
  }
  /** The monitor reported an event. Returns the first event it missed before, if any. */
  record(): Disagreement | undefined {
    if (this.active) return undefined;
    this.active = true;
    return this.first;
  }
}

export class Monitor {
  /** Number of accesses and edges confirmed. */
  confirmed = 0;
  private base: bigint | undefined;
  private readonly accessActivity = new Activity();
  private readonly interruptActivity = new Activity();
  private write: MonitoredAccess | undefined;
  private read: { readonly access: Access; readonly seq: bigint } | undefined;
  private controllerEdges: boolean[] = [];
  private loading = false;
  private deviceEdges: { readonly level: boolean; readonly seq: bigint; readonly optional: boolean }[] = [];

  constructor(private readonly options: MonitorOptions) {
    this.base = options.accesses?.base;
  }

  /** Takes a line of QEMU's own trace about the device's region. */
  accessLine(text: string): Disagreement | undefined {
    const match = OPERATION_LINE.exec(text);
    if (match === null) return undefined;
    const late = this.accessActivity.record();
    if (late) return late;
    const [, direction, address = '0', value = '0', size = '0'] = match;
    const seen = { address: BigInt(address), value: BigInt(value), size: Number(size) };
    if (direction === 'read') {
      const device = this.read;
      this.read = undefined;
      const read: MonitoredAccess = { direction, ...seen };
      return device ? this.compare(read, device.access) : this.unreported(read);
    }
    const before = this.write;
    this.write = { direction: 'write', ...seen };
    return before && this.unreported(before);
  }

  /** A write that QEMU has traced and the device has not reported yet, as text. */
  get pendingWrite(): string | undefined {
    if (this.write === undefined) return undefined;
    const { address, value, size } = this.write;
    const where = this.base === undefined ? `address ${hex(address)}` : `offset ${hex(address - this.base)}`;
    return `write ${where} = ${value}, ${size} bytes`;
  }

  /** Takes an edge that the interrupt controller traced. */
  edge(level: boolean): Disagreement | undefined {
    const late = this.interruptActivity.record();
    if (late) return late;
    if (this.loading) return undefined;
    this.controllerEdges.push(level);
    return this.pair();
  }

  /** Takes an access that the device reported. */
  access(access: Access, seq: bigint): Disagreement | undefined {
    if (!this.options.accesses) return undefined;
    if (access.direction === 'read') {
      this.read = { access, seq };
      return undefined;
    }
    const seen = this.write;
    this.write = undefined;
    return seen ? this.compare(seen, access) : this.unconfirmed(access, seq);
  }

  /** Takes an edge that the device reported. `optional`: the controller need not have traced it. */
  interrupt(level: boolean, seq: bigint, optional: boolean): Disagreement | undefined {
    if (this.options.interrupt === undefined) return undefined;
    this.deviceEdges.push({ level, seq, optional });
    return this.pair();
  }

  /** The device's state was loaded. The controller's state is loaded separately, so an edge in between is not the device's. */
  stateLoaded(): void {
    this.loading = true;
  }

  /** A new stimulus begins: everything about the previous access must be confirmed by now. */
  boundary(): Disagreement | undefined {
    this.loading = false;
    if (this.read) {
      const { access, seq } = this.read;
      this.read = undefined;
      const unconfirmed = this.unconfirmed(access, seq);
      if (unconfirmed) return unconfirmed;
    }
    const [controller] = this.controllerEdges;
    this.controllerEdges = [];
    if (controller !== undefined) return edge(controller ? 'high' : 'low', NOTHING);
    const device = this.deviceEdges.find(({ optional }) => !optional);
    this.deviceEdges = [];
    if (device === undefined) return undefined;
    return this.interruptActivity.missing(
      edge(NOTHING, `${device.level ? 'high' : 'low'} at seq ${device.seq}`),
    );
  }

  /** The stream ends with an end marker. */
  end(): Disagreement | undefined {
    return this.boundary() ?? (this.write && this.unreported(this.write));
  }

  /** Reasons for monitors that should have reported events and never did. */
  silent(): InvalidReason[] {
    const reasons: InvalidReason[] = [];
    for (const [monitor, activity] of [
      ['accesses', this.accessActivity],
      ['interrupts', this.interruptActivity],
    ] as const) {
      if (!activity.active && activity.unseen > 0) {
        reasons.push({ reason: 'monitor-silent', monitor, unseen: activity.unseen });
      }
    }
    return reasons;
  }

  private compare(seen: MonitoredAccess, device: Access): Disagreement | undefined {
    this.base ??= seen.address - device.offset;
    const same =
      seen.direction === device.direction &&
      seen.address - this.base === device.offset &&
      seen.value === device.value &&
      seen.size === device.size;
    if (same) {
      this.confirmed += 1;
      return undefined;
    }
    return {
      field: `monitor.${device.direction}`,
      expected: wordsOf(seen, `offset ${hex(seen.address - this.base)}`),
      actual: wordsOf(device, `offset ${hex(device.offset)}`),
    };
  }

  /** The monitor traced an access that the device did not report. */
  private unreported(seen: MonitoredAccess): Disagreement {
    const where =
      this.base === undefined ? `address ${hex(seen.address)}` : `offset ${hex(seen.address - this.base)}`;
    return { field: `monitor.${seen.direction}`, expected: wordsOf(seen, where), actual: NOTHING };
  }

  private unconfirmed(access: Access, seq: bigint): Disagreement | undefined {
    return this.accessActivity.missing({
      field: `monitor.${access.direction}`,
      expected: NOTHING,
      actual: `${wordsOf(access, `offset ${hex(access.offset)}`)}, at seq ${seq}`,
    });
  }

  private pair(): Disagreement | undefined {
    const [controller] = this.controllerEdges;
    const [device] = this.deviceEdges;
    if (controller === undefined || device === undefined) return undefined;
    this.controllerEdges.shift();
    this.deviceEdges.shift();
    if (controller !== device.level) {
      return edge(controller ? 'high' : 'low', `${device.level ? 'high' : 'low'} at seq ${device.seq}`);
    }
    this.confirmed += 1;
    return undefined;
  }
}

function edge(expected: string, actual: string): Disagreement {
  return { field: 'monitor.interrupt', expected, actual };
}
