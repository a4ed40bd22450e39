// SPDX-License-Identifier: MIT
/** Kconfig for Linux and Busybox: configuring a build directory from fragments, and checking what became of them. */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { messageOf, StopwatchError } from '../../lib/errors.js';
import type { Task, TaskContext } from '../engine/task.js';
import { isConfigured, versionOf } from './build-tools.js';
import { TITLES } from './sources.js';

const SET = /^(CONFIG_\w+)=(.*)$/;
const UNSET = /^# (CONFIG_\w+) is not set$/;

/** Symbol → value as Kconfig writes it ('y', 'm', '"text"', '42'), 'n' for one that is not set. */
export function parseKconfig(text: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const set = SET.exec(line);
    const unset = UNSET.exec(line);
    if (set?.[1] !== undefined && set[2] !== undefined) values.set(set[1], set[2]);
    else if (unset?.[1] !== undefined) values.set(unset[1], 'n');
  }
  return values;
}

/** The fragment with these symbols changed. */
export function withSymbols(fragment: string, symbols: Readonly<Record<string, string>>): string {
  const values = parseKconfig(fragment);
  for (const [symbol, value] of Object.entries(symbols)) values.set(symbol, value);
  return [...values]
    .map(([symbol, value]) => (value === 'n' ? `# ${symbol} is not set\n` : `${symbol}=${value}\n`))
    .join('');
}

interface Refused {
  readonly symbol: string;
  readonly wanted: string;
  /** 'n' when the symbol is not there at all. */
  readonly got: string;
}

/** Wanted symbols that the final configuration does not have: Kconfig silently drops one that lacks a dependency. */
export function refused(fragment: string, final: string): Refused[] {
  const got = parseKconfig(final);
  return [...parseKconfig(fragment)]
    .map(([symbol, wanted]) => ({ symbol, wanted, got: got.get(symbol) ?? 'n' }))
    .filter(({ wanted, got: value }) => wanted !== value);
}

export interface Fragments {
  /** Files: those of the package, of the devices and of the user. */
  readonly files: readonly string[];
  /** The user's own lines, which override all files. */
  readonly lines: readonly string[];
}

const isLine = (text: string): boolean => SET.test(text) || UNSET.test(text);

/** The fragments in the user's configuration: lines, and files relative to the project. */
export function ownFragments(settings: readonly string[], project: string): Fragments {
  return {
    files: settings.filter((text) => !isLine(text)).map((file) => resolve(project, file)),
    lines: settings.filter(isLine),
  };
}

interface KconfigRequest {
  readonly part: 'linux' | 'busybox';
  /** The task that it needs. */
  readonly dep: string;
  readonly tree: string;
  readonly build: string;
  readonly cross: string;
  readonly ccache: boolean;
  /** Further programs whose version matters. */
  readonly tools: readonly string[];
  /** make's arguments. With the same ones and the same compiler, the directory is kept. */
  readonly make: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Later ones override earlier ones. */
  readonly fragments: Fragments;
}

/** `writeConfig` makes `.config` from the file it gets. */
export function configureTask(
  { part, dep, tree, build, cross, ccache, tools, make, env, fragments }: KconfigRequest,
  writeConfig: (context: TaskContext, file: string) => Promise<void>,
): Task {
  const compiler = `${cross}gcc`;
  return {
    name: `${part}:configure`,
    title: `${TITLES[part]}: configure`,
    deps: [dep],
    inputs: {
      files: fragments.files,
      values: { make, env, own: fragments.lines },
      tools: [compiler, ...tools, 'gcc', 'make', ...(ccache ? ['ccache'] : [])],
    },
    outputs: [join(build, '.config')],
    jobs: 'build',
    run: async (context) => {
      const how = JSON.stringify([make, await versionOf(compiler, context)]);
      const stamp = join(build, 'configured-as.json');
      // A directory that was configured in another way is emptied.
      if (!(await isConfigured(stamp, how))) await rm(build, { recursive: true, force: true });
      await mkdir(build, { recursive: true });
      const texts = await Promise.all(fragments.files.map(readFragment));
      const wanted = withSymbols([...texts, ...fragments.lines].join('\n'), {});
      const file = join(build, 'wanted.config');
      await writeFile(file, wanted);
      await writeConfig(context, file);
      await refuseDropped(context, wanted, { build, fragments, tree });
      await writeFile(stamp, how);
    },
  };
}

async function readFragment(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new StopwatchError('bad-config', `Cannot read the options in ${file}: ${messageOf(cause)}`, {
      cause,
      hint: 'A setting is a line such as CONFIG_X=y, or the path of a file with such lines.',
    });
  }
}

/** Throws 'bad-config' when `.config` lacks one of the wanted symbols. */
async function refuseDropped(
  context: TaskContext,
  wanted: string,
  { build, fragments, tree }: Pick<KconfigRequest, 'build' | 'fragments' | 'tree'>,
): Promise<void> {
  const config = join(build, '.config');
  const missing = refused(wanted, await readFile(config, 'utf8'));
  if (missing.length === 0) return;
  // The next run must not take it for configured.
  await rename(config, join(build, 'refused.config'));
  const [first] = missing;
  const where = [...fragments.files, ...(fragments.lines.length > 0 ? ['the configuration'] : [])];
  const lines = await Promise.all(
    missing.map(async (one) => {
      const why = await whyRefused(context, tree, one.symbol);
      return `${one.symbol}: expected ${one.wanted}, got ${one.got}${why === '' ? '' : ` (${why})`}`;
    }),
  );
  throw new StopwatchError(
    'bad-config',
    `Kconfig did not take ${missing.length} of the settings in ${where.join(' and ')}: expected ${first?.symbol}=${first?.wanted}, got ${first?.got}`,
    {
      hint: 'A symbol is misspelt, gone from this version, or lacks something it depends on.',
      lastLines: lines,
      log: context.logFile,
    },
  );
}

/** Collects the `depends on` of each entry of the symbol in the tree. */
async function whyRefused(context: TaskContext, tree: string, symbol: string): Promise<string> {
  const name = symbol.replace(/^CONFIG_/, '');
  const entry = `^[[:space:]]*(menu)?config ${name}$`;
  const script =
    'grep -rlE --include="Kconfig*" --include="Config.*" --include="*.c" "$0" "$1" || [ $? = 1 ]';
  const found = await context.exec('sh', ['-c', script, entry, tree], { capture: true });
  const files = found.split('\n').filter(Boolean).slice(0, 3);
  if (files.length === 0) return 'there is no such symbol in this release';
  const reasons = files.map(async (file) => {
    const needed = dependencies(await readFile(file, 'utf8'), name);
    return needed.length === 0 ? '' : `${relative(tree, file)}: depends on ${needed.join(' and ')}`;
  });
  return (await Promise.all(reasons)).filter(Boolean).join('; ');
}

/** The lines `depends on` of an entry of Kconfig, and of the `if` around it. Pure. */
export function dependencies(kconfig: string, name: string): string[] {
  const needed: string[] = [];
  const conditions: string[] = [];
  let inside = false;
  for (const line of kconfig.split('\n')) {
    const text = line.replace(/^\/\/(?:config:)?/, '').trim();
    if (/^(?:menu)?config \S+$/.test(text)) {
      inside = text.split(' ')[1] === name;
      if (inside) needed.push(...conditions);
    } else if (/^if\s/.test(text)) conditions.push(text.slice(3).trim());
    else if (text === 'endif') conditions.pop();
    else if (inside && text.startsWith('depends on ')) needed.push(text.slice('depends on '.length));
  }
  return needed;
}
