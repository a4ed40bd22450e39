// SPDX-License-Identifier: MIT
/**
 * A saved VM in which something of one device has been changed: what is loaded
 * may come from anywhere, and no device may take what it can never be in.
 *
 * A migration stream ends with a description of itself as JSON (QEMU's
 * docs/devel/migration/main.rst: a byte 6, the length as 32 bits, the text), so
 * no layout is written down here. Numbers in a stream are big-endian.
 */

/** `version`: of the device's section; else the name of a field. */
export interface Change {
  readonly field: string;
  readonly value: bigint;
}

const DESCRIPTION = 0x06;
/** Instance and version, which come between a section's name and its first field. */
const IDS = 8;

/** Throws Error where the stream has no such device or field. `section`: the device's name in it. */
export function changeSavedState(stream: Buffer, section: string, changes: readonly Change[]): Buffer {
  const changed = Buffer.from(stream);
  const { start, fields } = sectionOf(stream, section);
  for (const { field, value } of changes) {
    if (field === 'version') {
      changed.writeUInt32BE(Number(value), start - 4);
      continue;
    }
    const index = fields.findIndex(({ name }) => name === field);
    const found = fields[index];
    if (found === undefined) throw new Error(`The saved ${section} has no ${field}`);
    const at = fields.slice(0, index).reduce((sum, { size }) => sum + size, start);
    if (found.size === 8) changed.writeBigUInt64BE(BigInt.asUintN(64, value), at);
    else changed.writeUIntBE(Number(BigInt.asUintN(found.size * 8, value)), at, found.size);
  }
  return changed;
}

interface Field {
  readonly name: string;
  readonly size: number;
}

function sectionOf(
  stream: Buffer,
  section: string,
): { readonly start: number; readonly fields: readonly Field[] } {
  const device = devicesOf(stream).find(({ name }) => name === section);
  const heading = Buffer.from(`${String.fromCharCode(section.length)}${section}`, 'latin1');
  // After the memory, in which anything may stand.
  const at = stream.lastIndexOf(heading);
  if (device === undefined || at < 0) throw new Error(`The saved VM has no ${section}`);
  return { start: at + heading.length + IDS, fields: device.fields };
}

function devicesOf(stream: Buffer): readonly { readonly name: string; readonly fields: readonly Field[] }[] {
  for (let at = stream.lastIndexOf(DESCRIPTION); at >= 0; at = stream.lastIndexOf(DESCRIPTION, at - 1)) {
    const left = stream.length - at - 5;
    if (left > 0 && stream.readUInt32BE(at + 1) === left) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- QEMU's own format
      return (JSON.parse(stream.toString('utf8', at + 5)) as { devices: never }).devices;
    }
    if (at === 0) break;
  }
  throw new Error('The saved VM does not describe itself');
}
