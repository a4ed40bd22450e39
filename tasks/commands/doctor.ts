// SPDX-License-Identifier: MIT
import { Option } from 'commander';
import { EXIT } from '../../lib/errors.js';
import type { Diagnosis } from '../doctor/packages.js';
import type { Paint } from '../report/format.js';
import type { Result, Services } from '../config/services.js';
import { BUILD_EXITS, type CommandDefinition } from './define.js';

interface Own {
  readonly install?: true;
  readonly tests?: true;
}

export const doctor: CommandDefinition<Own> = {
  name: 'doctor',
  summary: 'find what this host lacks, and say the one command that installs it',
  description:
    'Tries everything that the builds need from this host (compilers by compiling, libraries by linking) and says the one command that installs what is missing.',
  options: [
    new Option('--install', 'run that command'),
    new Option('--tests', "also what stopwatch's own tests need"),
  ],
  exits: BUILD_EXITS,
  examples: [
    ['doctor', 'exit code 0: this host can build'],
    ['doctor --install', 'install what is missing'],
  ],
  document: true,
  run: examine,
};

async function examine(services: Services, { install, tests }: Own): Promise<Result> {
  const [{ diagnose, ensurePackages, requestFor }, { painter }] = await Promise.all([
    import('../doctor/packages.js'),
    import('../report/format.js'),
  ]);
  const request = requestFor(services, { install: 'yes', tests });
  if (install) await ensurePackages(request);
  const diagnosis = await diagnose(request);
  const complete = diagnosis.missing.length === 0;
  return {
    exitCode: complete ? EXIT.passed : EXIT.host,
    text: doctorText(diagnosis, painter(services.colour)),
    data: {
      ok: complete,
      manager: diagnosis.manager ?? null,
      packages: diagnosis.packages,
      command: diagnosis.command ?? null,
      findings: diagnosis.findings.map(({ capability, problem }) => ({
        name: capability.name,
        neededBy: capability.neededBy,
        optional: capability.optional,
        ok: problem === undefined,
        problem: problem ?? null,
      })),
    },
    next: complete ? 'npx stopwatch all' : undefined,
  };
}

/** The findings as text: one line each, then what to do. */
export function doctorText({ findings, missing, command }: Diagnosis, paint: Paint): string {
  const width = Math.max(...findings.map(({ capability }) => capability.name.length));
  const lines = findings.map(({ capability, problem }) => {
    const { name, neededBy, optional } = capability;
    const mark =
      problem === undefined ? paint('green', '✔') : optional ? paint('dim', '-') : paint('red', '✖');
    const said = problem === undefined ? '' : `  ${optional ? 'optional: ' : ''}${problem}`;
    return `${mark} ${name.padEnd(width)}  ${paint('dim', `for ${neededBy}`)}${said}`;
  });
  if (missing.length === 0) {
    lines.push('This host has everything that the builds need.');
  } else if (command !== undefined) {
    lines.push(
      `${missing.length} missing. This installs it all (or: npx stopwatch doctor --install):`,
      `  ${command}`,
    );
  } else {
    lines.push(
      `${missing.length} missing. This host has no package manager that stopwatch knows: install by hand.`,
    );
  }
  return lines.map((line) => `${line}\n`).join('');
}
