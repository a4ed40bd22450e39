// SPDX-License-Identifier: MIT
/** The laboratory that global-setup.ts has prepared. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { inject } from 'vitest';
import type { KilledBuild } from './kills.js';
import { filesOf } from './prepare.js';
import type { Project } from './project.js';

export { CHECKOUT, progress } from './prepare.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Its directory. */
    laboratory: string;
  }
}

export interface Laboratory {
  readonly directory: string;
  readonly project: Project;
  /** A directory for the tests' own files. */
  readonly scratch: string;
  readonly firstBuild: KilledBuild;
}

export function laboratory(): Laboratory {
  const directory = inject('laboratory');
  const { project, scratch, firstBuild, failure } = filesOf(directory);
  if (existsSync(failure)) throw new Error(readFileSync(failure, 'utf8'));
  mkdirSync(scratch, { recursive: true });
  const build: KilledBuild = JSON.parse(readFileSync(firstBuild, 'utf8'));
  return { directory, project, scratch, firstBuild: build };
}
