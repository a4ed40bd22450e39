// SPDX-License-Identifier: MIT
/** The device's TypeScript with one fault in its model, loaded as a project's device is, with all that judges a QEMU by it. */
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { createJiti } from 'jiti';
import { glob } from 'tinyglobby';
import { deviceKitModules } from './search/kit-modules.js';
import type { Mutant } from './search/mutate.js';
import type { AnySearch, SearchableDevice } from './search/search.js';

/** The package's own device imports the tool by its place, a project's by its name. */
const BY_PLACE = /'(?:\.\.\/)+vm\/device-kit(-fuzz)?\.js'/g;

export interface ModelMutant extends Mutant {
  /** Relative to the device's root. */
  readonly file: string;
}

/** A copy of what `root` has in `device/`, whose modules are loaded anew for each fault. */
export class ModelCopy {
  readonly #jiti;

  private constructor(
    private readonly root: string,
    private readonly directory: string,
  ) {
    this.#jiti = createJiti(import.meta.url, {
      virtualModules: deviceKitModules(),
      fsCache: join(directory, 'cache'),
      interopDefault: false,
    });
  }

  static async make(root: string, directory: string): Promise<ModelCopy> {
    const files = await glob('device/**/*.{ts,json}', { cwd: root, ignore: '**/*.test.ts' });
    for (const file of files) {
      await mkdir(dirname(join(directory, file)), { recursive: true });
      await cp(join(root, file), join(directory, file));
      if (file.endsWith('.ts')) await writeFile(join(directory, file), await byName(join(root, file)));
    }
    return new ModelCopy(root, directory);
  }

  /** Whether the fault is still there when the types are gone, and the rest is a program. */
  async differs({ file, source }: ModelMutant): Promise<boolean> {
    const transpiled = (text: string) => this.#jiti.transform({ source: text, filename: file, ts: true });
    try {
      return transpiled(source) !== transpiled(await readFile(join(this.root, file), 'utf8'));
    } catch {
      return false;
    }
  }

  /** The search of the device that has this fault in its model. Rejects if the device cannot even be loaded. */
  async load({ file, source }: ModelMutant): Promise<AnySearch | undefined> {
    const place = join(this.directory, file);
    await writeFile(place, named(source));
    try {
      for (const loaded of Object.keys(this.#jiti.cache))
        if (!relative(this.directory, loaded).startsWith('..')) delete this.#jiti.cache[loaded];
      const module: { readonly device?: SearchableDevice } = await this.#jiti.import(
        join(this.directory, 'device', 'stopwatch', 'device.ts'),
      );
      return await module.device?.search();
    } finally {
      await writeFile(place, await byName(join(this.root, file)));
    }
  }
}

function named(source: string): string {
  return source.replace(BY_PLACE, (_, fuzz?: string) => `'#device-kit${fuzz === undefined ? '' : '/fuzz'}'`);
}

async function byName(file: string): Promise<string> {
  return named(await readFile(file, 'utf8'));
}

/** All faults of a model, file by file. */
export async function modelMutants(
  model: NonNullable<AnySearch['model']>,
  root: string,
): Promise<readonly ModelMutant[]> {
  const all: ModelMutant[] = [];
  for (const file of model.sources) {
    const source = await readFile(join(root, file), 'utf8');
    for (const mutant of model.mutants(file, source)) all.push({ ...mutant, file });
  }
  return all;
}
