// SPDX-License-Identifier: MIT
/** The paths that `dev` watches, and what a saved file requires. */
import { join, relative } from 'node:path';
import { CONFIG_FILES, isCheckout, isPackageItself, SOURCES_FILE, type Paths } from '../../config/paths.js';

/** In the project and the package: devices, their drivers, their files for the guest, and the patches. */
const FOLDERS = ['device', 'driver', 'guest_fs', 'patches'];

/** Only in the package: the configurations of the builds. */
const CONFIGURATIONS = ['linux', 'busybox', 'qemu'].map((name) => join('vm', name));

/** Only in a checkout: the rest of the tool's TypeScript. */
const COMPILED = ['config.ts', SOURCES_FILE, 'lib', 'vm'];
/** The project's own settings, which are read at the start. */
const SETTINGS = [...CONFIG_FILES, SOURCES_FILE];

export function watchedPaths(paths: Paths): string[] {
  const { project, package: own } = paths;
  const inPackage = [...FOLDERS, ...(isCheckout() ? COMPILED : CONFIGURATIONS)];
  const inProject = isPackageItself(paths) ? SETTINGS : [...FOLDERS, ...SETTINGS];
  return [...inPackage.map((name) => join(own, name)), ...inProject.map((name) => join(project, name))];
}

export interface Asked {
  /** The relevant files, relative to the package or the project. */
  readonly saved: readonly string[];
  /** TypeScript that the tool itself runs must be compiled first. */
  readonly compile: boolean;
  /** The worker must start again, to read its configuration or its code. */
  readonly restart: boolean;
  /** Only the model or its checker changed, so the last run can be checked again. */
  readonly judgement: boolean;
}

/** The model, and what compares the device with it. */
const JUDGEMENT = /^(device\/[^/]+\/(model|checker)\/|vm\/crosscheck\/)/;

/** `paths`: saved files, absolute. Tests and documentation require nothing. */
export function askedBy(paths: readonly string[], where: Paths): Asked {
  const { package: own, project } = where;
  const settings = new Set(SETTINGS.map((name) => join(project, name)));
  const isOwn = (path: string): boolean => !relative(own, path).startsWith('..');
  const isCode = (path: string): boolean =>
    (path.endsWith('.ts') && !settings.has(path)) || path === join(own, SOURCES_FILE);
  const matter = paths.filter(
    (path) =>
      !/\.test(\.support)?\.ts$|\.md$/.test(path) &&
      // What an installed package runs is compiled already.
      !(isCode(path) && isOwn(path) && !isCheckout()),
  );
  const shown = matter.map((path) => relative(isOwn(path) && !settings.has(path) ? own : project, path));
  const code = matter.filter(isCode);
  return {
    saved: shown,
    // The devices of another project are read as they are.
    compile: code.some(isOwn),
    restart: code.length > 0 || matter.some((path) => settings.has(path)),
    judgement: shown.length > 0 && shown.every((path) => JUDGEMENT.test(path)),
  };
}
