// SPDX-License-Identifier: MIT
/** Another release in the user's configuration: which file has it, and that it really says so afterwards. */
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { dirname, extname, join, relative } from 'node:path';
import type { Services } from '../../config/services.js';
import { type NewRelease, withRelease } from './edit-source.js';
import { readConfigFile } from '../../config/file.js';
import { isPlainObject, originOf } from '../../config/layers.js';
import type { Loaded } from '../../config/load.js';
import { isCheckout } from '../../config/paths.js';
import type { SourceName } from '../../config/schema.js';
import { StopwatchError } from '../../../lib/errors.js';
import { writeFileAtomic } from '../../../lib/files/atomic.js';

/** The file that says which release it is, or will. Throws 'bad-usage' where a variable or an option says it. */
export function editableFile({ provenance, paths, file }: Loaded, part: SourceName): string {
  for (const setting of ['version', 'places', 'tree']) {
    const name = `sources.${part}.${setting}`;
    const origin = originOf(name, provenance);
    if (origin === 'default' || origin === file) continue;
    throw new StopwatchError('bad-usage', `${name} comes from ${origin}, which no file can overrule`, {
      hint: `Unset ${origin} and run the same command again.`,
    });
  }
  const isOwn = originOf(`sources.${part}.version`, provenance) === file;
  if (file !== undefined && isOwn) return file;
  if (isCheckout() && paths.project === paths.package) return join(paths.package, 'config.ts');
  return file ?? join(paths.project, 'stopwatch.config.ts');
}

const NEW_FILE = `import { defineConfig } from 'stopwatch';

export default defineConfig({});
`;

/** Writes it, whole or not at all. Throws 'bad-config' with what to write where the file can only be edited by a person. */
export async function configure(
  { loaded, signal }: Services,
  file: string,
  part: SourceName,
  given: NewRelease,
): Promise<void> {
  const { tree } = given;
  const release = typeof tree === 'string' ? { ...given, tree: relative(dirname(file), tree) || '.' } : given;
  const before = existsSync(file) ? await readFile(file, 'utf8') : undefined;
  const after = withRelease(before ?? NEW_FILE, part, release, extname(file) === '.json');
  if (after === undefined) throw byHand(file, part, release);
  signal.throwIfAborted();
  await writeFileAtomic(file, after);
  if (await says(file, loaded, part, release)) return;
  if (before === undefined) await rm(file, { force: true });
  else await writeFileAtomic(file, before);
  throw byHand(file, part, release);
}

async function says(
  file: string,
  { paths }: Loaded,
  part: SourceName,
  { version, places, tree }: NewRelease,
): Promise<boolean> {
  const values: unknown = await readConfigFile(file, paths).catch(() => undefined);
  const sources = isPlainObject(values) ? values['sources'] : undefined;
  const source = isPlainObject(sources) ? sources[part] : undefined;
  if (!isPlainObject(source)) return false;
  if (typeof tree === 'string') return source['tree'] === tree;
  const wanted = places.filter((place) => place !== undefined);
  return source['version'] === version && JSON.stringify(source['places']) === JSON.stringify(wanted);
}

function byHand(file: string, part: SourceName, { version, places, tree }: NewRelease): StopwatchError {
  const settings =
    typeof tree === 'string' ? { tree } : { version, places: places.filter((place) => place !== undefined) };
  return new StopwatchError('bad-config', `${file} is not plain data there, and was left as it is`, {
    hint: 'The release itself is fine: write these lines into it yourself.',
    lastLines: JSON.stringify({ sources: { [part]: settings } }, null, 2).split('\n'),
  });
}
