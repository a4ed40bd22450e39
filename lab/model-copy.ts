// SPDX-License-Identifier: MIT
/** The device's TypeScript with one fault in its model, loaded like a project's device. */
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { createJiti } from 'jiti';
import { glob } from 'tinyglobby';
import { StopwatchError } from '../lib/errors.js';
import { deviceFileIn } from '../tasks/config/device-files.js';
import type { ProjectDevice } from '../vm/device.js';
import { modelMutants, type Mutant } from './mutate.js';
import { deviceKitModules } from './search/kit-modules.js';
import type { AnySearch, MutationNames, SearchableDevice } from './search/search.js';

/** Imports of the tool in the package's own device. A project's device imports `#device-kit`. */
const KIT = /'(?:\.\.\/)+(?:vm|(lab\/search))\/device-kit\.js'/g;

export interface ModelMutant extends Mutant {
  /** Relative to the device's root. */
  readonly file: string;
}

/** All mutants of a model, file by file. */
export async function allModelMutants(
  names: MutationNames['model'],
  root: string,
): Promise<readonly ModelMutant[]> {
  const all: ModelMutant[] = [];
  if (names === undefined) return all;
  for (const [file, from] of Object.entries(names.sources)) {
    const source = await readFile(join(root, file), 'utf8');
    const [, , ...inDevice] = file.split('/');
    for (const mutant of modelMutants(source, from, names))
      all.push({ ...mutant, id: `${inDevice.join('/')}: ${mutant.id}`, file });
  }
  return all;
}

/** A copy of the device's TypeScript. Its modules are loaded again for each fault. */
export class ModelCopy {
  readonly #jiti;

  private constructor(
    /** The directory that its `device/` is in. */
    private readonly root: string,
    private readonly name: string,
    private readonly directory: string,
  ) {
    this.#jiti = createJiti(import.meta.url, {
      virtualModules: deviceKitModules(),
      fsCache: join(directory, 'cache'),
      interopDefault: false,
    });
  }

  static async make({ root, device }: ProjectDevice, directory: string): Promise<ModelCopy> {
    // It may import what its project's devices share.
    const files = await glob('device/**/*.{ts,json}', { cwd: root, ignore: '**/*.test.ts' });
    for (const file of files) {
      await mkdir(dirname(join(directory, file)), { recursive: true });
      await cp(join(root, file), join(directory, file));
      if (file.endsWith('.ts')) await writeFile(join(directory, file), await original(join(root, file)));
    }
    return new ModelCopy(root, device.description.name, directory);
  }

  /** Whether the mutant is a program that differs from the original once types are removed. */
  async differs({ file, source }: ModelMutant): Promise<boolean> {
    const transpiled = (text: string) => this.#jiti.transform({ source: text, filename: file, ts: true });
    try {
      return transpiled(source) !== transpiled(await readFile(join(this.root, file), 'utf8'));
    } catch {
      return false;
    }
  }

  /** The search of the device that has this fault. Rejects if the device cannot be loaded. */
  async load({ file, source }: ModelMutant): Promise<AnySearch> {
    const place = join(this.directory, file);
    const entry = deviceFileIn(this.directory, this.name);
    if (entry === undefined) throw new StopwatchError('internal', `${this.directory} has no device.ts`);
    await writeFile(place, withKit(source));
    try {
      for (const loaded of Object.keys(this.#jiti.cache))
        if (!relative(this.directory, loaded).startsWith('..')) delete this.#jiti.cache[loaded];
      const { device } = await this.#jiti.import<{ readonly device: SearchableDevice }>(entry);
      return await device.search();
    } finally {
      await writeFile(place, await original(join(this.root, file)));
    }
  }
}

function withKit(source: string): string {
  return source.replace(KIT, (_, search?: string) => `'#device-kit${search === undefined ? '' : '/fuzz'}'`);
}

async function original(file: string): Promise<string> {
  return withKit(await readFile(file, 'utf8'));
}
