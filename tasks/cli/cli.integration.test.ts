// SPDX-License-Identifier: MIT
/** The command line through real processes, from dist/. */
import { execFile, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { packageRoot, packageVersion } from '../config/paths.js';

const root = packageRoot();
const main = join(root, 'dist/stopwatch.js');
const COMMANDS = [
  'all',
  'prepare',
  'patch',
  'update_patches',
  'bump',
  'update',
  'run-test-quit',
  'replay',
  'report',
  'stress',
  'bench',
  'run',
  'module',
  'doctor',
  'status',
  'graph',
  'dev',
  'clean',
  'crosscheck',
  'docker-all',
  'docker',
];

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

let cwd: string;
beforeAll(() => {
  const built = statSync(main, { throwIfNoEntry: false });
  for (const name of ['app', 'main', 'options', 'program']) {
    const source = statSync(join(root, `tasks/cli/${name}.ts`));
    if (built === undefined || built.mtimeMs < source.mtimeMs)
      throw new Error('dist/ is not current: npm run build');
  }
});
beforeEach(() => {
  cwd = realpathSync(mkdtempSync(join(tmpdir(), 'stopwatch-cli-')));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

async function stopwatch(
  args: readonly string[],
  env: Record<string, string> = {},
  directory = cwd,
): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [main, ...args],
      { cwd: directory, env: { PATH: process.env['PATH'] ?? '', HOME: cwd, ...env }, encoding: 'utf8' },
      (error, out, err) => resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
    );
  });
}

test('--version', async () => {
  expect(await stopwatch(['--version'])).toEqual({ code: 0, out: `${packageVersion()}\n`, err: '' });
});

test('says which configuration is used where it is not in the current directory', async () => {
  const file = join(cwd, 'stopwatch.config.json');
  writeFileSync(file, '{}');
  const below = join(cwd, 'a/b');
  mkdirSync(below, { recursive: true });
  expect((await stopwatch(['status'])).err).not.toContain('Using');
  expect((await stopwatch(['status'], {}, below)).err).toContain(`Using ${file}\n`);
});

test('--help names every command', async () => {
  const { code, out } = await stopwatch(['--help']);
  expect(code).toBe(0);
  for (const name of COMMANDS) expect(out).toMatch(new RegExp(`^  ${name} `, 'm'));
});

test.each(COMMANDS)('%s --help has a description, options, exit codes and an example', async (name) => {
  const { code, out } = await stopwatch([name, '--help']);
  expect(code).toBe(0);
  expect(out).toMatch(new RegExp(`^Usage: stopwatch ${name} \\[options\\].*\\n\\n[A-Z]`));
  expect(out).toMatch(/^Global Options:\n/m);
  expect(out).toMatch(/^ {2}--source <NAME=PATH> /m);
  expect(out).toMatch(/^Exit codes:\n {2}0 {3}passed\n/m);
  expect(out).toMatch(new RegExp(`^Examples?:\\n  stopwatch ${name}\\b.*  # `, 'm'));
});

test.each(['run', 'replay'])('%s --help says who can reach a gdb stub on TCP', async (name) => {
  const { out } = await stopwatch([name, '--help']);
  expect(out.replaceAll(/\s+/g, ' ')).toMatch(
    /--gdb-port <PORT> [^-]*--gdb at this TCP port[^]*any user of this host can then run programs as you/,
  );
});

test.each<[string, string[], string]>([
  ['no command', [], 'Usage: stopwatch'],
  ['an unknown command', ['stauts'], "unknown command 'stauts'\n(Did you mean status?)"],
  ['the beginning of a command', ['run-test'], "unknown command 'run-test'\n(Did you mean run-test-quit?)"],
  [
    'the help of an unknown command',
    ['stauts', '--help'],
    "unknown command 'stauts'\n(Did you mean status?)",
  ],
  [
    'what contradicts itself',
    ['run', '--nodev', '--crosscheck'],
    "'--crosscheck' cannot be used with option '--nodev'",
  ],
  ['an unknown option', ['all', '--jbos', '2'], "unknown option '--jbos'\n(Did you mean --jobs?)"],
  ['a number of jobs that is none', ['all', '--jobs', 'x'], "'x' is invalid. Expected a number of processes"],
  ['an unknown part', ['prepare', 'qemo'], 'Allowed choices are qemu, linux, busybox'],
  ['an unknown source', ['--source', 'lnux=/x', 'all'], "did you mean 'linux'?"],
  ['a source without a path', ['all', '--source', 'linux'], 'Expected NAME=PATH'],
  ['an unknown driver', ['all', '--driver', 'both'], 'Allowed choices are module, builtin'],
  ['a missing file', ['crosscheck'], "missing required argument 'file'"],
  ['too many arguments', ['all', 'of', 'it'], 'too many arguments'],
])('usage: %s', async (_, args, text) => {
  const { code, out, err } = await stopwatch(args);
  expect(code).toBe(2);
  expect(err).toContain(text);
  expect(out).toBe('');
});

test.each([
  ['help', 'nope'],
  ['run', '--', 'words'],
  ['run', '--gdb-qemu', '--device', 'nope'],
  ['run', '--gdb'],
  ['exec'],
  ['fuzz'],
  ['fuzz', '--device', 'virtio-rng'],
  ['mutants'],
  ['stress', '--device', 'rngboi'],
  ['module', '--device', 'nope'],
  ['bump', 'linux'],
  ['test', '--only', 'nope'],
  ['update', '--force', 'nope'],
  ['push', 'nope'],
  ['push', '--device', 'nope'],
  ['crosscheck', 'nope'],
  ['replay', 'nope'],
  ['report', 'nope'],
  ['run', '--dump-dtb', '/dev/null'],
  ['run', '--dump-dtb', '/'],
  ['run', '--dump-dtb', '/nope/x.dtb'],
  ['fuzz', '--device', 'stopwatch', '--replay', 'nope'],
  ['exec', '--script', 'nope'],
])('what is wrong with the command is said before anything is done: %s %s', async (...args) => {
  // A host that lacks every compiler, which would be announced.
  const { code, out, err } = await stopwatch(args, onlyWith({}));
  expect(err).not.toContain('Missing on this host');
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(existsSync(join(cwd, '.stopwatch'))).toBe(false);
});

test('options that contradict one another', async () => {
  for (const [args, said] of [
    [['run', '--rw', '--rootfs', 'initramfs'], '--rw keeps changes, which an initramfs cannot'],
    [
      ['exec', '--deterministic', '--realtime', '--', 'true'],
      '--deterministic cannot be used with --realtime',
    ],
    [['--json', 'run', '--gdb-qemu'], '--gdb-qemu cannot be used with --json'],
  ] as const) {
    const { code, out, err } = await stopwatch([...args]);
    expect(code).toBe(2);
    expect(out + err).toContain(said);
  }
});

test.each([
  ['before', ['--jobs', '2000', 'status']],
  ['after', ['status', '--jobs', '2000']],
])('an option is understood %s the command', async (_, args) => {
  const { code, err } = await stopwatch(args);
  expect(code).toBe(2);
  expect(err).toContain('build.jobs (from --jobs): expected an integer from 0 to 1024, got 2000');
});

test('a bad configuration file: exit code 2, with the file named, as text and as JSON', async () => {
  const file = join(cwd, 'stopwatch.config.json');
  writeFileSync(file, '{"vm": {"memory": 1}}');
  const said = `Bad configuration: vm.memory (from ${file}): there is no such setting; did you mean 'vm.memoryMiB'?`;
  const text = await stopwatch(['doctor']);
  expect(text).toMatchObject({ code: 2, out: '' });
  expect(text.err).toContain(`Error: ${said}\n  Next: `);
  const json = await stopwatch(['doctor', '--json']);
  expect(json).toMatchObject({ code: 2, err: '' });
  expect(JSON.parse(json.out)).toMatchObject({
    type: 'result',
    command: 'doctor',
    exitCode: 2,
    error: { code: 'bad-config', message: said },
  });
});

test('a warning does not disturb the JSON', async () => {
  const { out, err } = await stopwatch(['doctor', '--json'], { STOPWATCH_VM_MEMORY: '1' });
  expect(err).toContain(
    "Warning: The environment variable STOPWATCH_VM_MEMORY is no setting of stopwatch; did you mean 'STOPWATCH_VM_MEMORY_MIB'?",
  );
  expect(JSON.parse(out)).toHaveProperty('findings');
});

/** A directory that is all of PATH, holding only some programs. */
function onlyWith(tools: Readonly<Record<string, string>>): Record<string, string> {
  const bin = join(cwd, 'bin');
  mkdirSync(bin);
  for (const [name, body] of Object.entries(tools)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${body}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  symlinkSync('/bin/sh', join(bin, 'sh'));
  return { PATH: bin };
}

test('doctor on a host that has nothing: exit code 5 and the one command', async () => {
  const environment = onlyWith({ dnf: '' });
  const { code, out } = await stopwatch(['doctor'], environment);
  expect(code).toBe(5);
  expect(out).toMatch(/✖ ninja +for QEMU {2}ninja is not in PATH\n/);
  expect(out).toMatch(/missing\. This installs it all .*:\n {2}(sudo )?dnf install -y .*\bninja-build\b/);
  const json = await stopwatch(['--json', 'doctor'], environment);
  expect(json.code).toBe(5);
  expect(JSON.parse(json.out)).toMatchObject({
    ok: false,
    manager: 'dnf',
    command: expect.stringContaining('dnf install'),
  });
});

test('what a tool says reaches no terminal as it is, and without the password of a proxy', async () => {
  const says = String.raw`printf 'fatal error \033]0;t\007\302\2332J by http://ann:s3cr@t@proxy:1\n'; exit 1`;
  const environment = onlyWith({ dnf: '', make: says });
  for (const args of [
    ['doctor'],
    ['doctor', '--json'],
    ['all', '--no-install'],
    ['all', '--no-install', '--json'],
  ]) {
    const { out, err } = await stopwatch(args, environment);
    expect(out + err, args.join(' ')).toContain('http://…@proxy:1');
    expect(out + err).not.toMatch(/s3cr|ann:|(?!\n)\p{Cc}/u);
  }
});

test('a command that builds, on such a host, with --no-install: exit code 5 before anything is done', async () => {
  const { code, out, err } = await stopwatch(['all', '--no-install'], onlyWith({ 'apt-get': 'exit 1' }));
  expect(code).toBe(5);
  expect(err).toContain('Error: Missing on this host:\n  aarch64-linux-gnu-gcc (needed by Linux, Busybox)');
  expect(err).toMatch(/Next: Install them with: (sudo )?apt-get update && /);
  expect(out).toBe('');
});

test('--json of such a command is one JSON object per line, the last one the result', async () => {
  const { code, out, err } = await stopwatch(['all', '--json', '--no-install'], onlyWith({ dnf: '' }));
  expect(code).toBe(5);
  expect(err).toBe('');
  const lines = out
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
  expect(lines.at(-1)).toMatchObject({
    type: 'result',
    command: 'all',
    exitCode: 5,
    error: { code: 'host-package-missing', hint: expect.stringContaining('dnf install') },
  });
});

test('an interrupt ends it with 130 and leaves no process', async () => {
  const environment = onlyWith({
    make: `echo $$ > ${cwd}/pid; exec ${process.execPath} -e 'setInterval(()=>{},1000)'`,
  });
  const child = spawn(process.execPath, [main, 'doctor'], {
    cwd,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let err = '';
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  const pid = await until(() => Number(readFileSync(join(cwd, 'pid'), 'utf8')));
  child.kill('SIGINT');
  const code = await new Promise<number | null>((resolve) => {
    child.on('exit', resolve);
  });
  expect(code).toBe(130);
  expect(err).toContain('Stopping; press Ctrl-C again');
  expect(err).toContain('Stopped: Interrupted by SIGINT');
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});

/** What `probe` gives as soon as it gives something and does not throw. */
async function until(probe: () => number): Promise<number> {
  for (;;) {
    try {
      const value = probe();
      if (value > 0) return value;
    } catch {
      // Not yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('a fault of our own: exit code 5, a log with the stack, and the request to report it', async () => {
  writeFileSync(
    join(cwd, 'stopwatch.config.js'),
    'export default {}; setTimeout(() => { throw new TypeError("thrown by nobody"); }, 0);',
  );
  const { code, err } = await stopwatch(['doctor'], {});
  expect(code).toBe(5);
  expect(err).toContain('Error: Internal error: thrown by nobody\n  Log: ');
  expect(err).toContain('please report it');
  const log = /Log: (.*)\n/.exec(err)?.[1] ?? '';
  expect(log.startsWith(cwd)).toBe(true);
  expect(readFileSync(log, 'utf8')).toMatch(/Command: doctor[^]*TypeError: thrown by nobody\n +at /);
});

test('a reader that goes away early is no crash', async () => {
  const child = spawn('/bin/sh', ['-c', `"${process.execPath}" "${main}" --help | true`], {
    cwd,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let err = '';
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  await new Promise((resolve) => {
    child.on('close', resolve);
  });
  expect(err).not.toContain('Internal error');
});

test('help, and help of one command', async () => {
  for (const args of [['help'], ['help', 'run']]) {
    const { code, out } = await stopwatch(args);
    expect(code).toBe(0);
    expect(out).toContain(args.length === 1 ? 'Commands:' : '--nodev');
  }
});
