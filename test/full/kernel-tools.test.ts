// SPDX-License-Identifier: MIT
/** The driver and its device-tree binding by the tools of the kernel's maintainers: sparse, Coccinelle, dt-schema; from Debian. */
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { laboratory } from '../e2e/laboratory.js';
import { must, start, tree } from '../e2e/project.js';

const { project, scratch } = laboratory();
const DRIVER = join(project.package, 'driver', 'stopwatch');
const SOURCES = readdirSync(DRIVER).filter((name) => /(?<!_kunit)\.c$/.test(name));

const root = join(scratch, 'kernel-tools');
const PYTHON = ['ruamel.yaml', 'ruamel.yaml.clib', 'jsonschema', 'rfc3987', 'libfdt', 'attr', 'pyrsistent'];
const PACKAGES = [
  'sparse',
  'coccinelle',
  'libpcre3',
  'dt-schema',
  ...PYTHON.map((name) => `python3-${name}`),
];
const env = {
  ...project.env,
  LD_LIBRARY_PATH: ['lib', 'usr/lib'].map((each) => join(root, each, 'x86_64-linux-gnu')).join(':'),
  COCCINELLE_HOME: join(root, 'usr/lib/coccinelle'),
  PYTHONPATH: join(root, 'usr/lib/python3/dist-packages'),
};

beforeAll(async () => {
  await project.passes(['update']);
  mkdirSync(root, { recursive: true });
  // Not installed: that would need root, and change the machine.
  await must('apt-get', ['-qq', 'download', ...PACKAGES], { cwd: root, env: project.env });
  for (const file of readdirSync(root).filter((name) => name.endsWith('.deb')))
    await must('dpkg-deb', ['--extract', file, '.'], { cwd: root, env: project.env });
});

/** Both of its streams. */
async function said(file: string, args: readonly string[], cwd: string): Promise<string> {
  const { out, err } = await start(file, args, { cwd, env }).ended;
  return `${out}${err}`;
}

/** What the kernel's `make C=2` makes of the compiler's command for a file of the driver, or for this one in its place. */
async function sparse(source: string, file?: string): Promise<string> {
  const { work } = project;
  const object = basename(source, '.c');
  const record = readFileSync(join(work, 'build/drivers/stopwatch', `.${object}.o.cmd`), 'utf8');
  const [, command = ''] = /^savedcmd_\S+ := ([^\n]*?)(?: ; |$)/m.exec(record) ?? [];
  const flags = command
    .replace(/^(?:ccache )?\S*gcc /, '')
    .replace(/ -Wp,-MMD,\S+| -o \S+| -c(?= )/g, '')
    .replace(/ \S+\.c *$/, file === undefined ? '$&' : ` -I ${DRIVER} ${file}`);
  expect(flags).not.toBe('');
  const how =
    '-D__linux__ -Dlinux -D__STDC__ -Dunix -D__unix__ -D__CHECKER__ --arch=arm64 -mlittle-endian -m64';
  const warnings = '-Wbitwise -Wno-return-void -Wno-unknown-attribute';
  const program = join(root, 'usr/bin/sparse');
  return said('sh', ['-c', `${program} ${how} ${warnings} ${flags}`], join(work, 'build/linux'));
}

describe('sparse', () => {
  test.each(SOURCES)('has nothing to say about %s', async (source) => {
    expect(await sparse(source)).toBe('');
  });

  test('finds a number of the device that is taken for one of the processor', async () => {
    const text = readFileSync(join(DRIVER, 'stopwatch_main.c'), 'utf8');
    const bad = text.replace('lap->number = head - 1;', 'lap->number = laps->head;');
    expect(bad).not.toBe(text);
    const file = join(root, 'bad.c');
    writeFileSync(file, bad);
    expect(await sparse('stopwatch_main.c', file)).toMatch(
      /bad\.c:\d+:\d+: warning: incorrect type in assignment/,
    );
  });
});

test("Coccinelle's scripts of the kernel find nothing", async () => {
  const scripts = join(tree(project, 'linux'), 'scripts/coccinelle');
  const names = readdirSync(scripts, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.cocci'),
  );
  expect(names.length).toBeGreaterThan(50);
  const found: string[] = [];
  for (const name of names) {
    const args = [
      '-D',
      'report',
      '--very-quiet',
      '--cocci-file',
      join(scripts, name),
      '--no-includes',
      '--dir',
      DRIVER,
    ];
    const { out } = await start(join(root, 'usr/bin/spatch'), args, { cwd: root, env }).ended;
    if (out !== '') found.push(`${name}: ${out}`);
  }
  expect(found).toEqual([]);
}, 300_000);

test('the binding is one by the meta-schema of devicetree.org', async () => {
  // Its name and its folder are part of its $id.
  mkdirSync(join(root, 'bindings/misc'), { recursive: true });
  cpSync(join(DRIVER, 'stopwatch.yaml'), join(root, 'bindings/misc/qemu,stopwatch.yaml'));
  const args = [join(root, 'usr/bin/dt-doc-validate'), '-u', 'bindings', 'bindings/misc/qemu,stopwatch.yaml'];
  expect(await said('/usr/bin/python3', args, root)).toBe('');
});
