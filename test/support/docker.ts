// SPDX-License-Identifier: MIT
/** What the tests that need a Docker daemon have in common. */

/** Exit code of with-dockerd.ts when there is no daemon to be had; that of a skipped test in Automake. */
export const SKIPPED = 77;
/** The group that may use the daemon's socket; no group of any system. */
export const SOCKET_GROUP = 12_346;
/** Where tests run as root, the user who calls: unknown to the system, with that group. */
export const CALLER = 12_345;
