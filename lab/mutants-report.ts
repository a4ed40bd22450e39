// SPDX-License-Identifier: MIT
/** Formats the result of `mutants`. */
import { EXIT } from '../lib/errors.js';
import type { Result } from '../tasks/config/services.js';
import type { BootVerdict, SearchVerdict } from './check-mutant.js';
import type { Mutant } from './mutate.js';

export interface CheckedMutant extends Omit<Mutant, 'source'> {
  readonly search: SearchVerdict;
  readonly boot: BootVerdict;
  /** Why no check can detect it. */
  readonly waiver?: string | undefined;
}

const detected = ({ search, boot }: CheckedMutant): boolean =>
  search.detectedBy !== undefined || boot.detectedBy !== undefined;

/** `killed by …`, `equivalent` or `SURVIVED`. */
export function fateOf(mutant: CheckedMutant): string {
  const { search, boot, waiver } = mutant;
  if (!detected(mutant)) return waiver === undefined ? 'SURVIVED' : 'equivalent';
  const by = [search.detectedBy, boot.detectedBy && `boot (${boot.detectedBy})`];
  return `killed by ${by.filter((one) => one !== undefined).join(' and ')}`;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}

function countNames(names: readonly (string | undefined)[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const name of names) if (name !== undefined) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function countsText(counts: Readonly<Record<string, number>>): string {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const each = Object.entries(counts).map(([name, count]) => `${name} ${count}`);
  return total === 0 ? '0' : `${total}: ${each.join(', ')}`;
}

/** `file`: where all of them are listed. */
export function mutantsResult(checked: readonly CheckedMutant[], file: string): Result {
  const killed = checked.filter(detected);
  const alive = checked.filter((one) => !detected(one));
  const equivalent = alive.filter(({ waiver }) => waiver !== undefined);
  const survived = alive.filter(({ waiver }) => waiver === undefined);
  const wronglyWaived = killed.filter(({ waiver }) => waiver !== undefined);
  const bySearch = countNames(checked.map(({ search }) => search.detectedBy));
  const byBoot = countNames(checked.map(({ boot }) => boot.detectedBy));
  const searches = killed.flatMap(({ search }) => (search.detectedBy === undefined ? [] : search));
  const seconds = median(searches.map((one) => one.seconds));
  const shortest = median(searches.flatMap((one) => one.shortest ?? []));
  const list = (title: string, mutants: readonly CheckedMutant[]): string[] =>
    mutants.map(({ id, line }) => `${title.padEnd(12)} line ${line}: ${id}`);
  return {
    exitCode: survived.length === 0 && wronglyWaived.length === 0 ? EXIT.passed : EXIT.testFailed,
    verdict: [
      `Mutants      ${killed.length} killed, ${equivalent.length} equivalent, ${survived.length} survived of ${checked.length}`,
      `By search    ${countsText(bySearch)}`,
      `By a boot    ${countsText(byBoot)}`,
      `Median       ${seconds.toFixed(2)} s of searching, ${shortest} operations in the shortest script`,
      ...list(
        'Boot alone',
        killed.filter(({ search }) => search.detectedBy === undefined),
      ),
      ...list('Survived', survived),
      ...list('Waived, but killed:', wronglyWaived),
      `All          ${file}`,
    ],
    data: {
      mutants: checked.length,
      killed: killed.length,
      equivalent: equivalent.length,
      survived: survived.length,
      medianSeconds: seconds,
      medianShortest: shortest,
      killedBySearch: bySearch,
      killedByBoot: byBoot,
      file,
    },
  };
}
