// SPDX-License-Identifier: MIT
/** The name of this product, in its spellings. */

/** The npm package, its command, and its directory below the user's cache. */
export const PRODUCT = 'stopwatch';
/** Prefix of the environment variables that are settings. */
export const ENVIRONMENT_PREFIX = 'STOPWATCH_';
/** Everything generated in a project, unless --workdir says otherwise. */
export const WORK_DIRECTORY = '.stopwatch';
