// SPDX-License-Identifier: MIT
/**
 * Changes fields of one device in a saved VM. A saved state may come from
 * anywhere, and a device must refuse a state that it can never be in.
 *
 * A migration stream ends with a JSON description of itself (QEMU's
 * docs/devel/migration/main.rst: a byte 6, a 32-bit length, the text), so no
 * layout is hard-coded here. Numbers in the stream are big-endian.
 */

/**
 * `field`: `version` for the version of the device's section, else the name of
 * a field. Without a `value` the field is left out, as an earlier version does.
 */
export interface FieldChange {
  readonly field: string;
  readonly value?: bigint | undefined;
}

interface SavedDevice {
  readonly name: string;
  readonly fields: readonly { readonly name: string; readonly size: number }[];
}

const DESCRIPTION = 0x06;
/** Bytes of the instance and version ids between a section's name and its first field. */
const IDS = 8;

/** Throws Error if the stream has no such section or field. */
export function changeSavedState(stream: Buffer, section: string, changes: readonly FieldChange[]): Buffer {
  const changed = Buffer.from(stream);
  const device = devicesOf(stream).find(({ name }) => name === section);
  const heading = Buffer.from(`${String.fromCharCode(section.length)}${section}`, 'latin1');
  // The last match: the guest's memory, which comes first, may hold anything.
  const at = stream.lastIndexOf(heading);
  if (device === undefined || at < 0) throw new Error(`The saved VM has no section ${section}`);
  const start = at + heading.length + IDS;
  const without: { readonly from: number; readonly to: number }[] = [];
  for (const { field, value } of changes) {
    if (field === 'version') {
      changed.writeUInt32BE(Number(value), start - 4);
      continue;
    }
    const index = device.fields.findIndex(({ name }) => name === field);
    const found = device.fields[index];
    if (found === undefined) throw new Error(`The saved ${section} has no field ${field}`);
    const place = device.fields.slice(0, index).reduce((sum, { size }) => sum + size, start);
    if (value === undefined) without.push({ from: place, to: place + found.size });
    else if (found.size === 8) changed.writeBigUInt64BE(BigInt.asUintN(64, value), place);
    else changed.writeUIntBE(Number(BigInt.asUintN(found.size * 8, value)), place, found.size);
  }
  // The last first: the places of those before stay as they are.
  return without
    .toSorted((a, b) => b.from - a.from)
    .reduce((rest, { from, to }) => Buffer.concat([rest.subarray(0, from), rest.subarray(to)]), changed);
}

function devicesOf(stream: Buffer): readonly SavedDevice[] {
  for (let at = stream.lastIndexOf(DESCRIPTION); at >= 0; at = stream.lastIndexOf(DESCRIPTION, at - 1)) {
    const left = stream.length - at - 5;
    if (left > 0 && stream.readUInt32BE(at + 1) === left) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- QEMU's own format
      return (JSON.parse(stream.toString('utf8', at + 5)) as { devices: readonly SavedDevice[] }).devices;
    }
    if (at === 0) break;
  }
  throw new Error('The saved VM does not describe itself');
}
