// SPDX-License-Identifier: MIT
/** PATH with the directories of a system's administrator: daemons, mount and their like. */
export const PATH = `${process.env['PATH'] ?? '/usr/bin:/bin'}:/usr/sbin:/sbin`;
