// SPDX-License-Identifier: MIT
/** The device's node in the tree that QEMU makes: its addresses and interrupt, as the guest will find them. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { StopwatchError } from '../../lib/errors.js';
import { type Processes, shellQuote } from '../../lib/process/process.js';
import { dumpDeviceTreeArguments, type MachineParts } from './command-line.js';
import { cells, type DeviceTreeNode, readFdt, strings, toDts } from './fdt.js';

/** The GIC's interrupt ids: 0 to 15 between processors, 16 to 31 of one processor, then the shared ones. */
const FIRST_SPI = 32;
const FIRST_PPI = 16;

export interface DeviceRegion {
  /** From `reg-names`; its index where there is none. */
  readonly name: string;
  /** Physical address in the guest. */
  readonly address: bigint;
  /** Bytes. */
  readonly size: bigint;
}

export interface DeviceNode {
  /** E.g. `/platform-bus@c000000/stopwatch@0`. */
  readonly path: string;
  readonly regions: readonly DeviceRegion[];
  /** Ids as QEMU's GIC counts them: the cell of an SPI plus 32. */
  readonly interrupts: readonly number[];
  /** The node alone, as device-tree source. */
  readonly dts: string;
}

/**
 * Every node with this `compatible`. Addresses are translated through the
 * `ranges` of the buses above. Throws Error for a tree that is broken.
 */
export function findDevices(dtb: Uint8Array, compatible: string): readonly DeviceNode[] {
  const found: DeviceNode[] = [];
  const visit = (node: DeviceTreeNode, above: readonly DeviceTreeNode[]): void => {
    if (strings(node, 'compatible').includes(compatible)) found.push(describe(node, above));
    for (const child of node.children) visit(child, [...above, node]);
  };
  visit(readFdt(dtb), []);
  return found;
}

function describe(node: DeviceTreeNode, above: readonly DeviceTreeNode[]): DeviceNode {
  const parent = above.at(-1);
  const names = strings(node, 'reg-names');
  const reg = cells(node, 'reg') ?? [];
  const { address: addressCells, size: sizeCells } = cellCounts(parent);
  const each = addressCells + sizeCells;
  if (each === 0 || reg.length % each !== 0) {
    throw new Error(`${node.name}: reg has ${reg.length} cells, which is no multiple of ${each}`);
  }
  const regions = Array.from({ length: reg.length / each }, (_, index): DeviceRegion => {
    const at = index * each;
    return {
      name: names[index] ?? String(index),
      address: translate(number(reg.slice(at, at + addressCells)), above),
      size: number(reg.slice(at + addressCells, at + each)),
    };
  });
  return {
    path: [...above.slice(1), node].map(({ name }) => `/${name}`).join(''),
    regions,
    interrupts: interruptIds(cells(node, 'interrupts') ?? []),
    dts: toDts(node),
  };
}

/** The GIC's binding: three cells each, of which the first is 0 for an SPI and 1 for a PPI. */
function interruptIds(interrupts: readonly number[]): number[] {
  return Array.from({ length: Math.floor(interrupts.length / 3) }, (_, index) => {
    const [type = 0, id = 0] = interrupts.slice(index * 3);
    return id + (type === 0 ? FIRST_SPI : FIRST_PPI);
  });
}

/** What the specification says holds where a node does not say. */
function cellCounts(node: DeviceTreeNode | undefined): { address: number; size: number } {
  return {
    address: (node && cells(node, '#address-cells')?.[0]) ?? 2,
    size: (node && cells(node, '#size-cells')?.[0]) ?? 1,
  };
}

function number(words: readonly number[]): bigint {
  return words.reduce((value, word) => (value << 32n) | BigInt(word), 0n);
}

/** From an address on the innermost bus to a physical one. */
function translate(address: bigint, above: readonly DeviceTreeNode[]): bigint {
  let current = address;
  for (let index = above.length - 1; index > 0; index--) {
    const bus = above[index];
    const ranges = bus && cells(bus, 'ranges');
    // Empty: the same addresses on both sides.
    if (bus === undefined || ranges === undefined || ranges.length === 0) continue;
    const inner = cellCounts(bus);
    const outer = cellCounts(above[index - 1]);
    const each = inner.address + outer.address + inner.size;
    for (let at = 0; at + each <= ranges.length; at += each) {
      const from = number(ranges.slice(at, at + inner.address));
      const to = number(ranges.slice(at + inner.address, at + inner.address + outer.address));
      const size = number(ranges.slice(at + inner.address + outer.address, at + each));
      if (current >= from && current < from + size) {
        current = current - from + to;
        break;
      }
    }
  }
  return current;
}

/**
 * Has QEMU write the device tree of this machine to `dtbFile`, and the same as
 * source to `dtsFile`. Throws StopwatchError with QEMU's words if it cannot.
 */
export async function dumpDeviceTree(
  qemu: string,
  parts: Omit<MachineParts, 'files'>,
  files: { readonly dtb: string; readonly dts: string },
  ports: {
    readonly processes: Processes;
    readonly env: Readonly<Record<string, string>>;
    readonly signal: AbortSignal;
  },
): Promise<Uint8Array> {
  await rm(files.dtb, { force: true });
  const args = dumpDeviceTreeArguments(parts, files.dtb);
  const said: string[] = [];
  const exit = await ports.processes.run(
    { file: qemu, args, env: ports.env },
    { signal: ports.signal, onLine: (line) => said.push(line) },
  );
  if (ports.signal.aborted)
    throw new StopwatchError('interrupted', 'Interrupted while QEMU wrote its device tree');
  const dtb = exit.exitCode === 0 ? await readFile(files.dtb).catch(() => undefined) : undefined;
  if (dtb === undefined) {
    const how = exit.signal ?? `exit code ${exit.exitCode}`;
    throw new StopwatchError(
      'qemu-not-started',
      `QEMU did not write its device tree to ${files.dtb} (${how})`,
      {
        command: shellQuote({ file: qemu, args }),
        lastLines: said.slice(-40),
      },
    );
  }
  await writeFile(files.dts, `/dts-v1/;\n\n${toDts(readFdt(dtb))}\n`);
  return dtb;
}
