// SPDX-License-Identifier: MIT
/** Versions of programs, asked once per program file. */
import { realpathSync, statSync } from 'node:fs';
import { createPairCache } from '../../lib/files/pair-cache.js';
import type { Processes } from '../../lib/process/process.js';
import { which } from '../../lib/which.js';

/** The version of a missing program. */
const ABSENT_TOOL = 'absent';

interface ToolVersions {
  /** First line of `<tool> --version`, or `ABSENT_TOOL`. */
  version(tool: string): Promise<string>;
  /** Writes the cache if it has changed. */
  save(): Promise<void>;
}

interface ToolVersionsOptions {
  readonly cacheFile: string;
  readonly processes: Processes;
  /** Environment for the tools; its PATH is searched. */
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

export function createToolVersions({ cacheFile, processes, env, signal }: ToolVersionsOptions): ToolVersions {
  const cache = createPairCache(cacheFile);
  const asked = new Map<string, Promise<string>>();

  const ask = async (tool: string): Promise<string> => {
    const found = which(tool, env['PATH']);
    if (!found.found) return ABSENT_TOOL;
    const real = realpathSync(found.path);
    const stat = statSync(real, { bigint: true });
    const key = [real, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(' ');
    const known = cache.get(found.path, key);
    if (known !== undefined) return known;
    const lines = { stdout: '', stderr: '' };
    const exit = await processes.run(
      { file: found.path, args: ['--version'], env },
      {
        signal,
        onLine: (line, stream) => {
          if (lines[stream] === '') lines[stream] = line.trim();
        },
      },
    );
    const version =
      lines.stdout || lines.stderr || `says no version (exit code ${exit.exitCode ?? exit.signal})`;
    if (!signal.aborted) cache.set(found.path, key, version);
    return version;
  };

  return {
    version(tool) {
      let answer = asked.get(tool);
      if (answer === undefined) {
        answer = ask(tool);
        asked.set(tool, answer);
      }
      return answer;
    },
    save: () => cache.save(),
  };
}
