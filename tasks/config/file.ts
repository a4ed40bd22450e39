// SPDX-License-Identifier: MIT
/** The user's own stopwatch.config.*: found, run, and its default export taken. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { messageOf, StopwatchError } from '../../lib/errors.js';
import { isPlainObject } from './layers.js';
import { assertTrusted } from './ownership.js';
import { configFilesIn, type Paths } from './paths.js';
import { PRODUCT } from '../../lib/product.js';
import { runUserModule } from './user-module.js';
import { got } from './wording.js';

/** The configuration file in the project's directory, if any. Throws 'bad-config' when there are two. */
export function findConfigFile(project: string): string | undefined {
  const [first, second] = configFilesIn(project);
  if (second !== undefined) {
    throw new StopwatchError(
      'bad-config',
      `There are two configuration files in ${project}: ${first} and ${second}`,
      { hint: 'Keep one of them.' },
    );
  }
  return first === undefined ? undefined : join(project, first);
}

/** The object that a configuration file gives. Throws 'file-unreadable' or 'bad-config' with the file's own error, or where it belongs to another user. */
export async function readConfigFile(file: string, paths: Paths): Promise<Record<string, unknown>> {
  assertTrusted(dirname(file), file);
  const value = extname(file) === '.json' ? readJson(file) : await runModule(file, paths);
  if (!isPlainObject(value)) {
    throw new StopwatchError(
      'bad-config',
      `${file}: expected an object as its ${extname(file) === '.json' ? 'content' : 'default export'}, got ${got(value)}`,
      {
        hint:
          extname(file) === '.json'
            ? 'Write an object, such as { "vm": { "memoryMiB": 256 } }.'
            : "Write `export default defineConfig({ … })`, with `import { defineConfig } from 'stopwatch'`.",
      },
    );
  }
  return value;
}

function readJson(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new StopwatchError('file-unreadable', `Cannot read ${file}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new StopwatchError('bad-config', `${file}: expected JSON: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

async function runModule(file: string, paths: Paths): Promise<unknown> {
  const { createJiti } = await import('jiti');
  const jiti = createJiti(import.meta.url, {
    // 'stopwatch' is this package wherever the file is: in a checkout, or beside an installation elsewhere.
    virtualModules: { [PRODUCT]: await import('./define.js') },
    // What was transpiled is kept, but no directory is made for it.
    fsCache: existsSync(paths.work) ? join(paths.work, 'config-cache') : false,
    moduleCache: false,
    interopDefault: false,
  });
  try {
    const module = await runUserModule(file, async () => jiti.import<{ default?: unknown }>(file));
    return module.default;
  } catch (error) {
    if (error instanceof StopwatchError) throw error;
    throw new StopwatchError('bad-config', `${file} cannot be loaded: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
