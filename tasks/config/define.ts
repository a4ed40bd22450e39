// SPDX-License-Identifier: MIT
/** What `import { defineConfig } from 'stopwatch'` gives. Loads nothing: it is on the path of every start. */
import type { Config, PartialConfig } from './schema.js';

export type { Config, PartialConfig, Mirror, Source, SourceName } from './schema.js';

/** Types a whole configuration; gives it back unchanged. */
export function defineConfig(config: Config): Config;
/** Types a part of the configuration, for `stopwatch.config.ts`. */
export function defineConfig(config: PartialConfig): PartialConfig;
export function defineConfig<T>(config: T): T {
  return config;
}
