// SPDX-License-Identifier: MIT
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { StopwatchError } from '../../lib/errors.js';
import { capabilities, OPTIONAL_TOOLS, TEST_CAPABILITIES } from './list.js';
import { diagnose, ensurePackages, type EnsureRequest } from './packages.js';
import { createProcesses, type Processes } from '../../lib/process/process.js';

/** A host made of shell scripts: each says what the real tool would, and nothing else is in PATH. */
const TOOLS: Readonly<Record<string, string>> = {
  'aarch64-linux-gnu-gcc': 'case "$*" in -print*) echo /dev/null;; *) read x || true;; esac',
  gcc: 'case "$*" in -print*) echo crt1.o;; *) read x || true;; esac',
  make: 'echo GNU Make 4.3',
  ninja: 'echo 1.11.1',
  flex: '',
  bison: '',
  bc: '',
  perl: '',
  python3: 'echo /dev/null',
  'pkg-config': 'echo',
  tar: "echo 'tar (GNU tar) 1.34'",
  find: "echo 'find (GNU findutils) 4.9.0'",
  xz: '',
  bzip2: '',
  mke2fs: 'echo mke2fs 1.47.0 >&2',
  debugfs: '',
  dtc: '',
  git: 'echo git version 2.39.5',
  flock: '',
  setpriv: '',
};

let root: string;
let bin: string;
let calls: number;
let notices: string[];
let questions: string[];
let output: string[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'stopwatch-packages-'));
  bin = join(root, 'bin');
  mkdirSync(bin);
  for (const [name, body] of Object.entries(TOOLS)) tool(name, body);
  calls = 0;
  notices = [];
  questions = [];
  output = [];
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function tool(name: string, body: string): void {
  writeFileSync(join(bin, name), `#!/bin/sh\n${body}\n`);
  chmodSync(join(bin, name), 0o755);
}
const remove = (name: string): void => rmSync(join(bin, name));

function request(more: Partial<EnsureRequest> = {}): EnsureRequest {
  const real = createProcesses();
  const counted: Processes = {
    spawn: async (...args) => real.spawn(...args),
    run: async (...args) => {
      calls++;
      return real.run(...args);
    },
  };
  return {
    cross: 'aarch64-linux-gnu-',
    work: root,
    environment: { PATH: bin },
    signal: new AbortController().signal,
    root: true,
    processes: async () => counted,
    install: 'ask',
    interactive: false,
    confirm: async (question) => {
      questions.push(question);
      return false;
    },
    notice: (text) => notices.push(text),
    onLine: (line) => output.push(line),
    ...more,
  };
}

async function failure(more: Partial<EnsureRequest> = {}): Promise<StopwatchError> {
  const error: unknown = await ensurePackages(request(more)).catch((thrown: unknown) => thrown);
  if (error instanceof StopwatchError) return error;
  throw new Error('Expected a StopwatchError', { cause: error });
}

test('nothing is missing, and the second time nothing is run', async () => {
  await ensurePackages(request());
  const before = calls;
  expect(before).toBeGreaterThan(15);
  await ensurePackages(request());
  expect(calls).toBe(before);
});

test('a library or a header that was removed by hand is looked at again', async () => {
  const [library, header] = [join(root, 'libz.so'), join(root, 'zlib.h')];
  for (const file of [library, header]) writeFileSync(file, '');
  // As with --trace, and with -MD.
  tool(
    'gcc',
    `read x || true; echo ${library}; for a; do case $a in *.d) echo "x: ${header}" >"$a";; esac; done`,
  );
  await ensurePackages(request());
  for (const file of [library, header]) {
    calls = 0;
    await ensurePackages(request());
    expect(calls).toBe(0);
    rmSync(file);
    await ensurePackages(request());
    expect(calls).toBeGreaterThan(15);
  }
});

test('a changed tool, one in front of it in PATH, or another cross compiler is looked at again', async () => {
  await ensurePackages(request());
  for (const change of [
    () => {
      utimesSync(join(bin, 'bison'), 1, 1);
      return {};
    },
    () => ({ environment: { PATH: `${mkdtempSync(join(root, 'front-'))}:${bin}` } }),
    () => ({ environment: { PATH: bin } }),
  ]) {
    const more = change();
    calls = 0;
    await ensurePackages(request(more));
    expect(calls).toBeGreaterThan(15);
    calls = 0;
    await ensurePackages(request(more));
    expect(calls).toBe(0);
  }
  remove('bison');
  expect((await failure()).message).toContain('bison (needed by Linux): bison is not in PATH');
  calls = 0;
  expect((await failure({ cross: 'other-' })).message).toContain('other-gcc (needed by Linux, Busybox)');
  expect(calls).toBeGreaterThan(0);
});

test.each(Object.keys(TOOLS))('without %s, it is named', async (name) => {
  remove(name);
  const { missing } = await diagnose(request());
  expect(missing.map(({ problem }) => problem)).toContain(`${name} is not in PATH`);
});

test.each([
  ['make', 'echo GNU Make 3.81', 'expected version 4.0 or newer, got 3.81'],
  ['tar', 'echo bsdtar 3.5.3', "tar is of another make: expected GNU tar\\) ([\\d.]+), got 'bsdtar 3.5.3'"],
  [
    'python3',
    'echo "ModuleNotFoundError: No module named ensurepip" >&2; exit 1',
    'No module named ensurepip',
  ],
  ['pkg-config', 'echo "No package glib-2.0 found"; exit 1', 'No package glib-2.0 found'],
  [
    'aarch64-linux-gnu-gcc',
    'case "$*" in *-static*) echo "ld: cannot find -lc"; echo "error: ld returned 1"; exit 1;; esac',
    'aarch64-linux-gnu-gcc failed: error: ld returned 1',
  ],
  ['bison', 'kill -9 $$', 'bison failed: no output'],
])('a %s that does not do', async (name, body, problem) => {
  tool(name, body);
  const { missing } = await diagnose(request());
  expect(missing.map((finding) => finding.problem).join('\n')).toContain(problem);
});

test('a tool that cannot be started is a finding, not a crash', async () => {
  writeFileSync(join(bin, 'bison'), '#!/does/not/exist\n');
  const { missing } = await diagnose(request());
  expect(missing.map(({ capability }) => capability.name)).toEqual(['bison']);
});

test('what is optional is reported and never required', async () => {
  const { findings, missing } = await diagnose(request());
  const ccache = findings.find(({ capability }) => capability.name === 'ccache');
  expect(ccache?.problem).toBe('ccache is not in PATH');
  expect(missing).toEqual([]);
});

test.each([
  ['apt-get', 'apt-get update && apt-get install -y --no-install-recommends bison flex ninja-build'],
  ['dnf', 'dnf install -y bison flex ninja-build'],
  ['pacman', 'pacman -Syu --needed --noconfirm bison flex ninja'],
])('the one command of %s', async (manager, command) => {
  tool(manager, '');
  for (const name of ['bison', 'flex', 'ninja']) remove(name);
  expect((await diagnose(request())).command).toBe(command);
  const sudo = command.replace('&& ', '&& sudo ').replace(/^/, 'sudo ');
  expect((await diagnose(request({ root: false }))).command).toBe(sudo);
});

test('every required capability has packages for each system that can have it', () => {
  for (const { name, optional, packages } of capabilities('aarch64-linux-gnu-', 'x64')) {
    if (optional) continue;
    for (const manager of ['apt', 'dnf', 'pacman'] as const) {
      expect(packages[manager].length, `${name} on ${manager}`).toBeGreaterThan(0);
    }
  }
});

test('what only the tests need is asked for with --tests alone, and each list is remembered by itself', async () => {
  tool('apt-get', '');
  expect((await diagnose(request())).missing).toEqual([]);
  const { missing, packages } = await diagnose(request({ tests: true }));
  expect(missing.map(({ capability }) => capability)).toEqual([
    ...TEST_CAPABILITIES,
    ...Object.values(OPTIONAL_TOOLS),
  ]);
  expect(packages).toEqual([
    'bsdutils',
    'ccache',
    'chromium',
    'gdb',
    'gdb-multiarch',
    'gtkwave',
    'nginx',
    'openssl',
    'redis-server',
    'shellcheck',
  ]);
  await ensurePackages(request({ install: 'no' }));
  await expect(ensurePackages(request({ install: 'no', tests: true }))).rejects.toThrow('shellcheck');
});

/** An apt-get that keeps what it was called with and brings the tool when it is told to install. */
const APT = `echo "$DEBIAN_FRONTEND $*" >> "\${0%/*}/../apt.log"
echo "Setting up $*"
case "$*" in *install*) printf '#!/bin/sh\\n' > "\${0%/*}/bison"; /bin/chmod 755 "\${0%/*}/bison";; esac`;

test('as root without a terminal it installs, and says so', async () => {
  tool('apt-get', APT);
  remove('bison');
  await ensurePackages(request());
  expect(readFileSync(join(root, 'apt.log'), 'utf8')).toBe(
    'noninteractive update\nnoninteractive -o DPkg::Lock::Timeout=120 install -y --no-install-recommends bison\n',
  );
  expect(notices).toEqual([
    'Installing what this host lacks: apt-get update && apt-get install -y --no-install-recommends bison',
  ]);
  expect(output.join('\n')).toContain('Setting up update');
  expect(questions).toEqual([]);
});

test('with --no-install, without rights, or when the user says no: the one command, and nothing is run', async () => {
  tool('apt-get', APT);
  remove('bison');
  const refused = await failure({ install: 'no' });
  expect(refused).toMatchObject({
    code: 'host-package-missing',
    exitCode: 5,
    hint: 'Install them with: apt-get update && apt-get install -y --no-install-recommends bison',
  });
  expect((await failure({ root: false })).hint).toContain('sudo apt-get install');
  expect((await failure({ interactive: true })).code).toBe('host-package-missing');
  expect(questions).toEqual([expect.stringContaining('Missing on this host: bison.\nInstall with: apt-get')]);
  expect(existsSync(join(root, 'apt.log'))).toBe(false);
});

test('with password-less sudo it installs through sudo, proxies included, whose passwords nobody sees', async () => {
  tool('apt-get', `echo "by $https_proxy" >> ${root}/apt.log; ${APT}`);
  // As sudo does: only what is named stays in the environment.
  const keeps = 'DEBIAN_FRONTEND="$DEBIAN_FRONTEND" https_proxy="$https_proxy"';
  tool(
    'sudo',
    `echo "$*" >> ${root}/sudo.log
     [ "$2" = true ] && exit 0
     [ "$2" = --preserve-env=DEBIAN_FRONTEND,https_proxy ] || exit 1
     shift 2; exec /usr/bin/env -i PATH="$PATH" ${keeps} "$@"`,
  );
  remove('bison');
  const https_proxy = 'http://ann:s3cr@t@p:1';
  await ensurePackages(request({ root: false, environment: { PATH: bin, https_proxy, HOME: '/' } }));
  const called = readFileSync(join(root, 'sudo.log'), 'utf8');
  expect(called.split('\n')).toEqual([
    '-n true',
    '-n --preserve-env=DEBIAN_FRONTEND,https_proxy apt-get update',
    expect.stringMatching(/^-n --preserve-env=\S+ apt-get .* install -y --no-install-recommends bison$/),
    '',
  ]);
  expect(readFileSync(join(root, 'apt.log'), 'utf8')).toContain(`by ${https_proxy}\nnoninteractive update\n`);
  expect([...notices, called].join('\n')).not.toMatch(/s3cr|ann/);
});

test('a package manager that fails gives its last lines', async () => {
  tool('apt-get', 'case "$*" in update) exit 100;; esac; echo "E: Unable to locate package bison"; exit 100');
  remove('bison');
  expect(await failure()).toMatchObject({
    code: 'install-failed',
    exitCode: 5,
    message: 'apt-get could not install bison: it ended with exit code 100',
    lastLines: ['E: Unable to locate package bison'],
    command: 'apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends bison',
  });
});

test('an installation that brings nothing is not believed', async () => {
  tool('apt-get', '');
  remove('flex');
  const error = await failure();
  expect(error.code).toBe('install-failed');
  expect(error.message).toContain('still missing:\n  flex (needed by Linux): flex is not in PATH');
});

test('without a known package manager it says so', async () => {
  remove('flex');
  expect((await failure()).hint).toContain('install these by hand');
});

test('interrupted while probing', async () => {
  tool('flex', 'exec /bin/sleep 60');
  const controller = new AbortController();
  const running = ensurePackages(request({ signal: controller.signal }));
  setTimeout(() => controller.abort(new StopwatchError('interrupted', 'Interrupted')), 100);
  await expect(running).rejects.toMatchObject({ code: 'interrupted' });
});
