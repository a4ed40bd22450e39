// SPDX-License-Identifier: MIT
/** The module that a configuration imports as 'stopwatch'. Loads nothing, because every start loads it. */
import type { Config, PartialConfig } from './schema.js';

export type { Config, PartialConfig, Mirror, Source, SourceName } from './schema.js';

/** Types a whole configuration; gives it back unchanged. */
export function defineConfig(config: Config): Config;
/** Types a part of the configuration, for `stopwatch.config.ts`. */
export function defineConfig(config: PartialConfig): PartialConfig;
export function defineConfig<T>(config: T): T {
  return config;
}
