// SPDX-License-Identifier: MIT
/** `sources.json`: which release each source is. `bump` writes it; nothing else does. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { StopwatchError } from '../../../lib/errors.js';
import { writeFileAtomic } from '../../../lib/files/atomic.js';
import { readConfigFile } from '../../config/file.js';
import { isPlainObject, originOf } from '../../config/layers.js';
import type { Loaded } from '../../config/load.js';
import { SOURCES_FILE } from '../../config/paths.js';
import type { Mirror, SourceName } from '../../config/schema.js';

/** The file to write, in the checkout or the project. Throws 'bad-usage' if another setting overrides it. */
export function sourcesFile({ provenance, paths }: Loaded, part: SourceName): string {
  const file = join(paths.project, SOURCES_FILE);
  for (const setting of ['version', 'mirrors', 'tree']) {
    const name = `sources.${part}.${setting}`;
    const origin = originOf(name, provenance);
    if (origin === 'default' || origin === file) continue;
    throw new StopwatchError('bad-usage', `${name} comes from ${origin}, which overrides ${file}`, {
      hint: existsSync(origin)
        ? `Remove sources.${part} from ${origin}, and run the same command again.`
        : `Unset ${origin} and run the same command again.`,
    });
  }
  return file;
}

/** Writes the file atomically; its other sources stay as they are. */
export async function writeSource(
  { loaded, signal }: { readonly loaded: Loaded; readonly signal: AbortSignal },
  file: string,
  part: SourceName,
  release: { readonly version: string; readonly mirrors: readonly Mirror[] },
): Promise<void> {
  const { paths } = loaded;
  const before = existsSync(file) ? await readConfigFile(file, paths) : {};
  const sources = isPlainObject(before['sources']) ? before['sources'] : {};
  const was = isPlainObject(sources[part]) ? sources[part] : {};
  const after = { ...before, sources: { ...sources, [part]: { ...was, ...release } } };
  signal.throwIfAborted();
  await writeFileAtomic(file, `${JSON.stringify(after, null, 2)}\n`);
}
