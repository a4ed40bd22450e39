// SPDX-License-Identifier: MIT
/** Finds a device's node in the device tree that QEMU generates, as decompiled by dtc(1). */
import { readFile, rm } from 'node:fs/promises';
import { StopwatchError } from '../../lib/errors.js';
import { type Command, type Processes, shellQuote } from '../../lib/process/process.js';
import { dumpDeviceTreeArguments, type MachineParts } from './command-line.js';

/** GIC interrupt ids: 0 to 15 are SGIs, 16 to 31 PPIs, then SPIs. */
const FIRST_SPI = 32;
const FIRST_PPI = 16;

export interface DeviceNode {
  /** E.g. `/platform-bus@c000000/stopwatch@0`. */
  readonly path: string;
  /** The node's `label`: the id of QEMU's device. */
  readonly label: string | undefined;
  /** `name`: from `reg-names`, or the index. `address`: guest-physical. */
  readonly regions: readonly { readonly name: string; readonly address: bigint; readonly size: bigint }[];
  /** GIC ids: an SPI's cell plus 32. */
  readonly interrupts: readonly number[];
  /** Device-tree source of this node. */
  readonly dts: string;
}

interface Node {
  readonly name: string;
  readonly parent: Node | undefined;
  /** Unparsed values. */
  readonly properties: Map<string, string>;
  readonly lines: string[];
}

/** Every node with this `compatible` in the output of `dtc -O dts`, which has one property or bracket per line. */
export function findDevices(dts: string, compatible: string): readonly DeviceNode[] {
  const all: Node[] = [];
  let current: Node | undefined;
  for (const line of dts.split('\n')) {
    const opened = /^\s*(\S+) \{$/.exec(line)?.[1];
    if (opened !== undefined) {
      current = { name: opened, parent: current, properties: new Map(), lines: [] };
      all.push(current);
    }
    current?.lines.push(line.trim());
    const [, name = '', value = ''] = /^\s*([^\s=]+)(?: = (.*))?;$/.exec(line) ?? [];
    if (name === '}') current = current?.parent;
    else if (name !== '') current?.properties.set(name, value);
  }
  return all.filter((node) => strings(node, 'compatible').includes(compatible)).map(describe);
}

function describe(node: Node): DeviceNode {
  const names = strings(node, 'reg-names');
  const { address, size } = cellCounts(node.parent);
  const interrupts = groups(cells(node, 'interrupts') ?? [], [1, 1, 1]);
  const [first = '', ...rest] = node.lines;
  return {
    path: pathOf(node),
    label: strings(node, 'label')[0],
    regions: groups(cells(node, 'reg') ?? [], [address, size]).map(([at = 0n, length = 0n], index) => ({
      name: names[index] ?? String(index),
      address: physical(at, node.parent),
      size: length,
    })),
    // The GIC's binding: the first of three cells is 0 for an SPI and 1 for a PPI.
    interrupts: interrupts.map(([type, id]) => Number(id) + (type === 0n ? FIRST_SPI : FIRST_PPI)),
    dts: [first, ...rest.slice(0, -1).map((line) => `\t${line}`), '};'].join('\n'),
  };
}

function pathOf({ name, parent }: Node): string {
  return parent === undefined ? '' : `${pathOf(parent)}/${name}`;
}

/** Translates an address on this bus to a physical address, using `ranges`. */
function physical(address: bigint, bus: Node | undefined): bigint {
  if (bus?.parent === undefined) return address;
  const inner = cellCounts(bus);
  const ranges = groups(cells(bus, 'ranges') ?? [], [
    inner.address,
    cellCounts(bus.parent).address,
    inner.size,
  ]);
  const range = ranges.find(([from = 0n, , size = 0n]) => address >= from && address < from + size);
  const [from = 0n, to = 0n] = range ?? [];
  return physical(address - from + to, bus.parent);
}

/** With the specification's defaults for nodes without these properties. */
function cellCounts(bus: Node | undefined): { readonly address: number; readonly size: number } {
  const count = (name: string): number | undefined => bus && cells(bus, name)?.[0];
  return { address: count('#address-cells') ?? 2, size: count('#size-cells') ?? 1 };
}

/** Parses `<0x00 0x70 0x04>`; undefined if the property is missing. */
function cells({ properties }: Node, name: string): number[] | undefined {
  return properties
    .get(name)
    ?.match(/0x[0-9a-f]+/g)
    ?.map(Number);
}

/** Parses `"mem", "regs"`, or `"mem\0regs"` from older versions of dtc. */
function strings({ properties }: Node, name: string): string[] {
  const quoted = properties.get(name)?.match(/"(?:[^"\\]|\\.)*"/g) ?? [];
  return quoted.flatMap((text) => text.slice(1, -1).split('\\0'));
}

/** Splits cells into tuples of numbers with these widths. */
function groups(all: readonly number[], widths: readonly number[]): bigint[][] {
  const each = widths.reduce((sum, width) => sum + width, 0);
  const starts = Array.from(
    { length: each === 0 ? 0 : Math.floor(all.length / each) },
    (_, index) => index * each,
  );
  return starts.map((start) => {
    let at = start;
    return widths.map((width) => {
      const words = all.slice(at, at + width);
      at += width;
      return words.reduce((value, word) => (value << 32n) | BigInt(word), 0n);
    });
  });
}

/** Writes this machine's device tree to `dtb` and its source to `dts`; returns the source. */
export async function dumpDeviceTree(
  qemu: string,
  parts: Omit<MachineParts, 'files'>,
  files: { readonly dtb: string; readonly dts: string },
  ports: {
    readonly processes: Processes;
    readonly env: Readonly<Record<string, string>>;
    readonly signal: AbortSignal;
  },
): Promise<string> {
  const { env, signal } = ports;
  const make = async (file: string, command: Omit<Command, 'env'>): Promise<void> => {
    await rm(file, { force: true });
    const lastLines: string[] = [];
    const { exitCode, signal: killedBy } = await ports.processes.run(
      { ...command, env },
      { signal, onLine: (line) => lastLines.push(line) },
    );
    signal.throwIfAborted();
    if (exitCode === 0) return;
    throw new StopwatchError(
      command.file === qemu ? 'qemu-not-started' : 'command-failed',
      `${command.file === qemu ? 'QEMU' : command.file} did not write the device tree ${file} (${killedBy ?? `exit code ${exitCode}`})`,
      { command: shellQuote(command), lastLines: lastLines.slice(-40) },
    );
  };
  await make(files.dtb, { file: qemu, args: dumpDeviceTreeArguments(parts, files.dtb) });
  const options = ['-q', '-I', 'dtb', '-O', 'dts', '-o', files.dts];
  await make(files.dts, { file: 'dtc', args: [...options, files.dtb] });
  return readFile(files.dts, 'utf8');
}
