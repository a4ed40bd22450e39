// SPDX-License-Identifier: MIT
/** Text of others (a guest, a tool, a daemon, a file's name) on its way to a terminal. */

/* oxlint-disable no-control-regex -- these are what is looked for */

/** CSI, the strings that end with BEL or ST (OSC, DCS, SOS, PM, APC), and two-character sequences; ECMA-48, 7 and 8 bits. */
const SEQUENCES =
  /(?:\u001B\[|\u009B)[0-?]*[ -/]*[@-~]|(?:\u001B[\]PX^_]|[\u0090\u0098\u009D-\u009F])[^\u0007\u001B\u0080-\u009F]*(?:\u0007|\u001B\\|\u009C)|\u001B[ -/]*[0-~]/g;

/** C0 but for the tab, DEL, C1, and what reorders the text around it. */
const CONTROLS = /[\u0000-\u0008\u000A-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/g;

/**
 * One line without anything that a terminal would obey: escape sequences go as a whole, and control characters and
 * bidirectional controls one by one. Everything else stays, in any script. Line ends go too: split into lines first.
 */
export function printable(line: string): string {
  return line.replaceAll(SEQUENCES, '').replaceAll(CONTROLS, '');
}
