// SPDX-License-Identifier: MIT
/** What the host must be able to do, how to try it, and the packages that bring it. Pure data. */

export const MANAGERS = ['apt', 'dnf', 'pacman'] as const;
export type Manager = (typeof MANAGERS)[number];

/** How to try a capability: always by using the real thing, never by asking the package database. */
export type Probe =
  /** The program runs. `version`, a pattern, finds the version in its output, which must be at least `atLeast`. */
  | {
      readonly kind: 'program';
      readonly program: string;
      readonly args: readonly string[];
      readonly version?: string;
      readonly atLeast?: string;
    }
  /** A program compiles and links. `module` (pkg-config) gives flags and must be at least `atLeast`. */
  | {
      readonly kind: 'link';
      readonly compiler: string;
      readonly flags?: readonly string[];
      readonly source: string;
      readonly module?: string;
      readonly atLeast?: string;
      /** Linked against, where there is no module. */
      readonly libraries?: readonly string[];
    }
  /** The statements run in python3. */
  | { readonly kind: 'python'; readonly code: string };

export interface Capability {
  /** 'cross compiler for aarch64' */
  readonly name: string;
  /** Which builds need it. */
  readonly neededBy: string;
  readonly optional: boolean;
  readonly probe: Probe;
  /** Names separated by spaces. */
  readonly packages: Readonly<Record<Manager, string>>;
}

const HELLO = '#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n';
const GLIB = '#include <glib.h>\nint main(void) { return glib_check_version(2, 66, 0) != NULL; }\n';
const ZLIB = '#include <zlib.h>\nint main(void) { return zlibVersion()[0] == 0; }\n';
const FDT = '#include <libfdt.h>\nint main(void) { return fdt_check_full(0, 0) == 0; }\n';
/** What QEMU's configure asks of Python. Debian has venv without ensurepip, which comes in another package. */
const VENV = `import sys, venv
from importlib.util import find_spec
assert sys.version_info >= (3, 9), "expected 3.9 or newer, got %d.%d" % sys.version_info[:2]
made = find_spec("ensurepip") or find_spec("setuptools") and find_spec("pip")
assert made, "no ensurepip, so python3 -m venv does not work"`;
const TOML = 'import sys\nif sys.version_info < (3, 11): import tomli';

type Packages = Capability['packages'];

/** With one name, it is the same everywhere. */
function packages(apt: string, dnf = apt, pacman = apt): Packages {
  return { apt, dnf, pacman };
}

function needs(name: string, neededBy: string, from: Packages, probe: Probe): Capability {
  return { name, neededBy, optional: false, probe, packages: from };
}

function program(
  name: string,
  neededBy: string,
  from: Packages = packages(name),
  more: Partial<Extract<Probe, { kind: 'program' }>> = {},
): Capability {
  return needs(name, neededBy, from, { kind: 'program', program: name, args: ['--version'], ...more });
}

/** Everything that the builds call for. `cross` is build.cross; on aarch64 the host's own compiler has that name. */
export function capabilities(cross: string, arch: string): Capability[] {
  const native = arch === 'arm64';
  const crossGcc = native
    ? packages('gcc')
    : packages(
        'gcc-aarch64-linux-gnu',
        'gcc-aarch64-linux-gnu binutils-aarch64-linux-gnu',
        'aarch64-linux-gnu-gcc aarch64-linux-gnu-binutils',
      );
  const crossLibc = native
    ? packages('libc6-dev', 'glibc-static', 'glibc')
    : packages('libc6-dev-arm64-cross', 'sysroot-aarch64-fc*-glibc', 'aarch64-linux-gnu-glibc');
  return [
    program(`${cross}gcc`, 'Linux, Busybox', crossGcc),
    needs('static libc for aarch64', 'Busybox', crossLibc, {
      kind: 'link',
      compiler: `${cross}gcc`,
      flags: ['-static'],
      source: HELLO,
    }),
    needs('gcc and libc headers', 'QEMU, Linux', packages('gcc libc6-dev', 'gcc glibc-devel', 'gcc'), {
      kind: 'link',
      compiler: 'gcc',
      source: HELLO,
    }),
    program('make', 'Linux, Busybox', packages('make'), { version: 'GNU Make ([\\d.]+)', atLeast: '4.0' }),
    program('ninja', 'QEMU', packages('ninja-build', 'ninja-build', 'ninja'), {
      version: '^([\\d.]+)',
      atLeast: '1.8',
    }),
    program('flex', 'Linux'),
    program('bison', 'Linux'),
    program('bc', 'Linux'),
    program('perl', 'Linux', packages('perl', 'perl-interpreter', 'perl')),
    needs('Python 3.9 or newer, with venv', 'QEMU', packages('python3 python3-venv', 'python3', 'python'), {
      kind: 'python',
      code: VENV,
    }),
    needs("Python's reader of TOML", 'QEMU', packages('python3-tomli', 'python3-tomli', 'python-tomli'), {
      kind: 'python',
      code: TOML,
    }),
    program('pkg-config', 'QEMU', packages('pkg-config', 'pkgconf-pkg-config', 'pkgconf')),
    needs(
      'glib headers, 2.66 or newer',
      'QEMU',
      packages('libglib2.0-dev', 'glib2-devel', 'glib2 glib2-devel'),
      { kind: 'link', compiler: 'gcc', source: GLIB, module: 'glib-2.0', atLeast: '2.66' },
    ),
    needs('zlib headers', 'QEMU', packages('zlib1g-dev', 'zlib-devel', 'zlib'), {
      kind: 'link',
      compiler: 'gcc',
      source: ZLIB,
      module: 'zlib',
    }),
    needs('libfdt headers', 'QEMU', packages('libfdt-dev', 'libfdt-devel', 'dtc'), {
      kind: 'link',
      compiler: 'gcc',
      source: FDT,
      libraries: ['-lfdt'],
    }),
    // Before 2.32, apply takes not both --cached and --3way.
    program('git', 'source trees', packages('git'), { version: 'git version ([\\d.]+)', atLeast: '2.32' }),
    program('tar', 'sources', packages('tar'), { version: 'GNU tar\\) ([\\d.]+)' }),
    program('find', 'sources', packages('findutils'), { version: 'GNU findutils\\) ([\\d.]+)' }),
    program('xz', 'sources', packages('xz-utils', 'xz', 'xz')),
    program('bzip2', 'sources', packages('bzip2'), { args: ['--help'] }),
    program('mke2fs', 'root file system', packages('e2fsprogs'), {
      args: ['-V'],
      version: '([\\d.]+)',
      atLeast: '1.43',
    }),
    program('debugfs', 'root file system', packages('e2fsprogs'), { args: ['-V'] }),
    program('flock', 'processes', packages('util-linux', 'util-linux-core', 'util-linux')),
    program('setpriv', 'processes', packages('util-linux')),
    { ...program('ccache', 'a faster second build'), optional: true },
    program('dtc', 'device tree', packages('device-tree-compiler', 'dtc', 'dtc')),
  ];
}

/** What only this project's own tests call for: `doctor --tests`. */
export const TEST_CAPABILITIES: readonly Capability[] = [
  program('openssl', 'tests', packages('openssl'), { args: ['version'] }),
  program('shellcheck', 'tests', packages('shellcheck', 'ShellCheck', 'shellcheck')),
  // Servers of a shared compile cache; the tests start their own.
  program('ccache', 'tests'),
  program('redis-server', 'tests', packages('redis-server', 'redis', 'redis')),
  program('nginx', 'tests', packages('nginx'), { args: ['-v'] }),
  // Shows the pages of runs.
  program('chromium', 'tests'),
  // Comes with GTKWave, and reads its traces; it has no --version.
  program('vcd2fst', 'tests', packages('gtkwave'), { args: ['-h'] }),
  // Makes a pseudo-terminal.
  program('script', 'tests', packages('bsdutils', 'util-linux', 'util-linux')),
];

const GUESTS_GDB =
  'for gdb in gdb-multiarch aarch64-linux-gnu-gdb aarch64-elf-gdb gdb; do ' +
  '"$gdb" -batch -ex "set architecture aarch64" 2>&1 | grep -q "is set to" && exit; done; ' +
  'echo "no gdb in PATH knows aarch64"; exit 1';

/** What only some options call for; and their tests. */
export const OPTIONAL_TOOLS = {
  gdb: program('gdb', 'run --gdb-qemu'),
  'guests-gdb': program(
    'gdb for aarch64',
    'run --gdb',
    packages('gdb-multiarch', 'gdb', 'aarch64-linux-gnu-gdb'),
    {
      program: 'sh',
      args: ['-c', GUESTS_GDB],
    },
  ),
} satisfies Readonly<Record<string, Capability>>;
export type OptionalTool = keyof typeof OPTIONAL_TOOLS;
