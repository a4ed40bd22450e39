// SPDX-License-Identifier: MIT
import { fileURLToPath } from 'node:url';

/** The checkout that is tested. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
