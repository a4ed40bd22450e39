// SPDX-License-Identifier: MIT
/** `init`: makes a project of the user's own, completely or not at all. */
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import type { Result } from '../../config/services.js';
import { isCheckout, packageVersion, type Paths } from '../../config/paths.js';
import { errnoOf } from '../../../lib/errno.js';
import { EXIT, StopwatchError } from '../../../lib/errors.js';
import { shellQuote } from '../../../lib/process/process.js';
import { checkName, nameOf } from './rename.js';
import { type ProjectFile, renamedFile, surroundings, type Template, templateFiles } from './template.js';
import { PRODUCT, WORK_DIRECTORY } from '../../../lib/product.js';
import { checkWorkPath } from '../../config/work-directory.js';

export interface InitOptions {
  /** Absolute path. */
  readonly directory: string;
  /** Of the device; undefined: that of the directory. */
  readonly name: string | undefined;
  readonly template: Template;
}

/** `paths`: of where the command was given. */
export async function initProject(paths: Paths, options: InitOptions, signal: AbortSignal): Promise<Result> {
  const { directory, template } = options;
  const name = options.name ?? nameOf(basename(directory));
  checkWorkPath(join(directory, WORK_DIRECTORY));
  const exists = await mustBeEmpty(directory);
  const { device, files: own } = await templateFiles(paths.package, template);
  checkName(
    name,
    device,
    own.filter(({ path }) => /\.(?:c|h|sh)$/.test(path)).map(({ text }) => text),
  );
  const dependencies = { ...editorNeeds(paths.package), [PRODUCT]: await dependencyFor(directory, paths) };
  const files = [
    ...(await surroundings(paths.package, template, name, dependencies)),
    ...own.map((file) => renamedFile(file, device, name)),
  ];
  await write(directory, exists, files, signal).catch((cause: unknown) => {
    if (cause instanceof StopwatchError) throw cause;
    const { code, message } = errnoOf(cause);
    throw new StopwatchError(
      code === 'ENOSPC' ? 'disk-full' : 'permission-denied',
      `Cannot write the project to ${directory}: ${message}`,
      { hint: 'Nothing of it was left there.', cause },
    );
  });
  const cd = shellQuote({ file: 'cd', args: [relative(process.cwd(), directory) || '.'] });
  return {
    exitCode: EXIT.passed,
    text: `${directory}: the device ${name}, ${files.length} files; start with README.md\n`,
    data: { directory, name, template, files: files.map(({ path }) => path) },
    next: `${cd} && npm install && npx stopwatch all`,
  };
}

/** Whether the directory is there. Throws 'bad-usage' when there is something in it, or it is none. */
async function mustBeEmpty(directory: string): Promise<boolean> {
  let names: string[];
  try {
    names = await readdir(directory);
  } catch (cause) {
    const { code = '', message } = errnoOf(cause);
    if (code === 'ENOENT') return false;
    const why = code === 'ENOTDIR' ? 'it, or something above it, is no directory' : message;
    throw new StopwatchError('bad-usage', `Cannot make a project in ${directory}: ${why}`, { cause });
  }
  if (names.length === 0) return true;
  const some = names.sort().slice(0, 3).join(', ');
  throw new StopwatchError(
    'bad-usage',
    `Cannot make a project in ${directory}: expected an empty directory or none, got one with ${some}${names.length > 3 ? ', …' : ''}`,
    { hint: 'Name a directory that is not there yet.' },
  );
}

/** This package as the project around us depends on it; in a checkout, its path. */
async function dependencyFor(directory: string, paths: Paths): Promise<string> {
  const real = await realTarget(directory);
  if (isCheckout()) return `file:${relative(real, paths.package)}`;
  const file = join(paths.project, 'package.json');
  const json = existsSync(file) ? readJson(file) : {};
  const spec = { ...json.optionalDependencies, ...json.devDependencies, ...json.dependencies }[PRODUCT];
  const [, local] = /^(?:file:)?(\.{0,2}\/.*|~\/.*)$/.exec(spec ?? '') ?? [];
  if (local !== undefined) return `file:${relative(real, resolve(paths.project, local))}`;
  return spec ?? packageVersion();
}

/** Where the directory will be, links resolved, because npm resolves them. */
async function realTarget(directory: string): Promise<string> {
  for (let above = directory; ; above = dirname(above)) {
    const found = await realpath(above).catch(() => undefined);
    if (found !== undefined) return join(found, relative(above, directory));
  }
}

/** What an editor needs to check the project's TypeScript, in the versions this package has. */
function editorNeeds(packageRoot: string): Readonly<Record<string, string>> {
  const { devDependencies = {} } = readJson(join(packageRoot, 'package.json'));
  return Object.fromEntries(
    Object.entries(devDependencies).filter(([name]) => name === '@types/node' || name === 'typescript'),
  );
}

type Dependencies = Readonly<Record<string, string>>;

function readJson(file: string): {
  readonly dependencies?: Dependencies;
  readonly devDependencies?: Dependencies;
  readonly optionalDependencies?: Dependencies;
} {
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** Beside the directory, or in it if it is there; then moved into place. */
async function write(
  directory: string,
  there: boolean,
  files: readonly ProjectFile[],
  signal: AbortSignal,
): Promise<void> {
  const above = there ? undefined : await mkdir(dirname(directory), { recursive: true });
  const stage = await mkdtemp(there ? join(directory, '.init-') : `${directory}.init-`);
  const moved: string[] = [];
  try {
    for (const { path, text, executable } of files) {
      signal.throwIfAborted();
      await mkdir(dirname(join(stage, path)), { recursive: true });
      await writeFile(join(stage, path), text, { flag: 'wx', mode: executable ? 0o755 : 0o644 });
    }
    if (there) {
      for (const entry of await readdir(stage)) {
        await rename(join(stage, entry), join(directory, entry));
        moved.push(join(directory, entry));
      }
      await rm(stage, { recursive: true });
    } else {
      await chmod(stage, 0o777 & ~process.umask());
      await rename(stage, directory);
    }
  } catch (error) {
    for (const path of [stage, ...moved]) await rm(path, { recursive: true, force: true });
    if (above !== undefined) await rm(above, { recursive: true, force: true });
    throw error;
  }
}
