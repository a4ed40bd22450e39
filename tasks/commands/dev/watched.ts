// SPDX-License-Identifier: MIT
/** What `dev` watches, and what a saved file asks for. */
import { join, relative } from 'node:path';
import { CONFIG_FILES, isCheckout, SOURCES_FILE, type Paths } from '../../config/paths.js';

/** Of the device's root: the device, the driver, the guest, the patches, and the configurations of what is built. */
const FOLDERS = [
  'device',
  'driver',
  'guest_fs',
  'patches',
  join('vm', 'linux'),
  join('vm', 'busybox'),
  join('vm', 'qemu'),
];

/** The package's own files whose change means other TypeScript; none in an installed package, which has no TypeScript. */
const COMPILED = ['config.ts', SOURCES_FILE, 'lib', 'vm'];
/** The project's own settings, which are read at the start. */
const SETTINGS = [...CONFIG_FILES, SOURCES_FILE];

/** Whether the device is the package's own, which is compiled; that of a project is read as it is. */
const isOwn = ({ package: own, device }: Paths): boolean => device === own;

export function watchedPaths(paths: Paths): string[] {
  const { device: root, project } = paths;
  const folders = [...FOLDERS, ...(isOwn(paths) && isCheckout() ? COMPILED : [])];
  return [...folders.map((folder) => join(root, folder)), ...SETTINGS.map((name) => join(project, name))];
}

export interface Asked {
  /** Shown paths of what matters, relative to the device's root or the project. */
  readonly saved: readonly string[];
  /** TypeScript that the tool itself runs must be compiled first. */
  readonly compile: boolean;
  /** The header that C shares with the contract must be written again. */
  readonly generate: boolean;
  /** The worker must start again, to read its configuration or its code. */
  readonly restart: boolean;
  /** Nothing but how a run is judged: the same run can be judged again. */
  readonly judgement: boolean;
}

/** The model, and what compares the device with it. */
const JUDGEMENT = /^(device\/[^/]+\/(model|checker)\/|vm\/crosscheck\/)/;

/** Of saved paths, absolute. Tests and what documents things change nothing. */
export function askedBy(paths: readonly string[], where: Paths): Asked {
  const { device: root, package: own, project } = where;
  const settings = new Set(SETTINGS.map((name) => join(project, name)));
  const matter = paths.filter((path) => !/\.test(\.support)?\.ts$|\.md$/.test(path));
  const pins = join(own, SOURCES_FILE);
  const code = matter.filter((path) => (path.endsWith('.ts') && !settings.has(path)) || path === pins);
  const compiled = isOwn(where) ? code : [];
  return {
    saved: matter.map((path) => (settings.has(path) ? relative(project, path) : relative(root, path))),
    compile: compiled.length > 0,
    generate: compiled.some((path) => /^device\/[^/]+\/contract\//.test(relative(root, path))),
    restart: code.length > 0 || matter.some((path) => settings.has(path)),
    judgement: matter.length > 0 && matter.every((path) => JUDGEMENT.test(relative(root, path))),
  };
}
