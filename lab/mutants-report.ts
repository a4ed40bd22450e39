// SPDX-License-Identifier: MIT
/** What `mutants` says of the faults it has judged. */
import type { Mutant } from './search/mutate.js';
import type { MutantVerdict } from './search/search.js';
import type { BootVerdict } from './mutant-boot.js';
import type { Result } from '../tasks/config/services.js';
import { EXIT } from '../lib/errors.js';

export interface Judged extends Omit<Mutant, 'source'> {
  /** Of the search, and of the check of the trace. */
  readonly verdict: MutantVerdict;
  /** Of a boot; undefined for a fault that is not in what boots. */
  readonly boot: BootVerdict | undefined;
  /** Why no check can see it, where that has been argued. */
  readonly equivalent: string | undefined;
}

/** In a word: who saw it, the search first. */
export function fateOf({ verdict, boot, equivalent }: Judged): string {
  const killers = [verdict.killer, boot?.killer === undefined ? undefined : `boot (${boot.killer})`];
  const seen = killers.filter((killer) => killer !== undefined);
  if (seen.length > 0) return seen.join(' and ');
  return equivalent === undefined ? 'SURVIVED' : 'equivalent';
}

const dead = ({ verdict, boot }: Judged): boolean =>
  verdict.killer !== undefined || boot?.killer !== undefined;

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}

function counted(killers: readonly (string | undefined)[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const killer of killers) if (killer !== undefined) counts[killer] = (counts[killer] ?? 0) + 1;
  return counts;
}

const words = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ') || 'none';

export function summary(judged: readonly Judged[], file: string): Result {
  const killed = judged.filter(dead);
  const left = judged.filter((one) => !dead(one));
  const equivalent = left.filter((one) => one.equivalent !== undefined);
  const survived = left.filter((one) => one.equivalent === undefined);
  const wrongly = killed.filter((one) => one.equivalent !== undefined);
  const searched = judged.filter(({ verdict }) => verdict.killer !== undefined);
  const bySearch = counted(judged.map(({ verdict }) => verdict.killer));
  const booted = judged.filter(({ boot }) => boot !== undefined);
  const byBoot = counted(booted.map(({ boot }) => boot?.killer));
  const seconds = median(searched.map(({ verdict }) => verdict.seconds));
  const shortest = median(searched.flatMap(({ verdict }) => verdict.shortest ?? []));
  const onlyBoot = killed.filter(({ verdict }) => verdict.killer === undefined);
  const operators = [...new Set(judged.map(({ operator }) => operator))].map((operator) => {
    const own = judged.filter((one) => one.operator === operator);
    const gone = own.filter(dead).length;
    const same = own.filter((one) => !dead(one) && one.equivalent !== undefined).length;
    return `  ${operator.padEnd(26)} ${String(own.length).padStart(4)}  killed ${gone}, equivalent ${same}, survived ${own.length - gone - same}`;
  });
  return {
    exitCode: survived.length === 0 && wrongly.length === 0 ? EXIT.passed : EXIT.testFailed,
    verdict: [
      `Mutants      ${killed.length} killed, ${equivalent.length} equivalent, ${survived.length} survived of ${judged.length}`,
      `By search    ${searched.length}: ${words(bySearch)}`,
      ...(booted.length === 0
        ? []
        : [
            `By a boot    ${booted.filter(({ boot }) => boot?.killer !== undefined).length} of ${booted.length}: ${words(byBoot)}`,
          ]),
      `Median       ${seconds.toFixed(2)} s of searching, ${shortest} operations in the shortest script`,
      ...operators,
      ...onlyBoot.map(({ id, line }) => `Boot alone   line ${line}: ${id}`),
      ...survived.map(({ id, line }) => `Survived     line ${line}: ${id}`),
      ...wrongly.map(({ id, line }) => `Not the same after all: line ${line}: ${id}`),
      `All          ${file}`,
    ],
    data: {
      mutants: judged.length,
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
