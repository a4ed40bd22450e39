// SPDX-License-Identifier: MIT
/** What `dev` watches, and what a saved file asks for. */
import { join, relative } from 'node:path';
import { CONFIG_FILES, isCheckout, isPackageItself, SOURCES_FILE, type Paths } from '../../config/paths.js';

/** Of the project and of the package: devices, their drivers and their files for the guest, and the patches. */
const FOLDERS = ['device', 'driver', 'guest_fs', 'patches'];

/** Of the package alone: the configurations of what is built. */
const CONFIGURATIONS = ['linux', 'busybox', 'qemu'].map((name) => join('vm', name));

/** Of a checkout: more TypeScript of the tool itself. An installed package has none. */
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
  /** Shown paths of what matters, relative to the package or to the project. */
  readonly saved: readonly string[];
  /** TypeScript that the tool itself runs must be compiled first. */
  readonly compile: boolean;
  /** The worker must start again, to read its configuration or its code. */
  readonly restart: boolean;
  /** Nothing but how a run is judged: the same run can be judged again. */
  readonly judgement: boolean;
}

/** The model, and what compares the device with it. */
const JUDGEMENT = /^(device\/[^/]+\/(model|checker)\/|vm\/crosscheck\/)/;

/** Of saved paths, absolute. Tests and what documents things change nothing. */
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
