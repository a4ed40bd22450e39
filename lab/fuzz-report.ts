// SPDX-License-Identifier: MIT
/** What `fuzz` says of what it found, and of how much it looked at. */
import { writeFile } from 'node:fs/promises';
import type { Device } from '../vm/device.js';
import {
  type CampaignResult,
  type Failed,
  type FuzzRequest,
  observe,
  type Progress,
} from './search/campaign.js';
import type { MachinePorts } from './search/machine.js';
import { type AnyScript, type AnySearch, isSearchable } from './search/search.js';
import type { Result } from '../tasks/config/services.js';
import { EXIT, StopwatchError } from '../lib/errors.js';
import { commandLine } from '../lib/process/command-line.js';

/** Throws 'bad-usage' for a device that has none. */
export async function searchOf(device: Device): Promise<AnySearch> {
  if (isSearchable(device)) return device.search();
  throw new StopwatchError('bad-usage', `The device ${device.description.name} declares no search`, {
    hint: 'What fuzz and mutants need of it is the type DeviceSearch of #device-kit/fuzz; device.search() gives it.',
  });
}

/** What is said of a script that fails, and the script written to the file, if one is given. */
export async function report(
  search: AnySearch,
  script: AnyScript,
  outcome: Failed,
  file: string | undefined,
  request: FuzzRequest,
  ports: MachinePorts,
  about: readonly string[] = [],
): Promise<
  Result & { readonly verdict: readonly string[]; readonly data: Readonly<Record<string, unknown>> }
> {
  const observed = await observe(search.target, script, outcome.operation, request, ports);
  const told = search.tell(script, outcome, observed);
  const operation = script.operations[outcome.operation];
  const differs = `${told.compared}: expected ${told.expected}, got ${told.actual}`;
  if (file !== undefined) await writeFile(file, search.formatScript(script, [...about, differs]));
  const next = file === undefined ? undefined : commandLine('fuzz', '--replay', file);
  return {
    exitCode: outcome.result === 'differs' ? EXIT.differs : EXIT.guest,
    verdict: [
      ...search.scriptLines(script, outcome.operation),
      '',
      ...search.toldLines(told),
      ...('stderr' in outcome ? ['', ...outcome.stderr.slice(0, 40)] : []),
    ],
    data: {
      ...outcome,
      ...told,
      operationWords: operation === undefined ? 'machine reset' : search.operationWords(operation),
      shortest: script.operations.length,
      ...(file === undefined ? {} : { script: file, replay: next }),
    },
    ...(next === undefined ? {} : { next }),
  };
}

export function counted({
  operations,
  scripts,
  commands,
  reloads,
  seconds,
  processor,
}: Progress | CampaignResult<AnyScript>): string {
  const rate = Math.round(operations / Math.max(seconds, 0.001));
  const micros = (spent: number): string => ((spent / Math.max(operations, 1)) * 1e6).toFixed(1);
  return `${operations} operations in ${scripts} scripts, ${commands} answers compared, ${reloads} reloads, ${seconds.toFixed(1)} s, ${rate} operations/s (${micros(processor.own)} µs of processor time here and ${micros(processor.qemu)} in QEMU for each)`;
}
