// SPDX-License-Identifier: MIT
/** What the host must be able to do, how that is tried, and the packages that bring it. Pure data. */

export type Manager = 'apt' | 'dnf' | 'pacman' | 'brew';
export const MANAGERS = ['apt', 'dnf', 'pacman', 'brew'] as const satisfies readonly Manager[];

/** How a capability is tried: always by using the real thing, never by asking the package database. */
export type Probe =
  /** The program runs. `version`, a pattern, finds the version in its output, which must be at least `atLeast`. */
  | {
      readonly kind: 'program';
      readonly program: string;
      readonly args: readonly string[];
      readonly version?: string;
      readonly atLeast?: string;
    }
  /** A program is compiled and linked. `module` (pkg-config) gives flags and is required at least at `atLeast`. */
  | {
      readonly kind: 'link';
      readonly compiler: string;
      readonly flags: readonly string[];
      readonly source: string;
      /** A file of the compiler's that the answer depends on. */
      readonly file?: string;
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
  /** Empty: the system always has it, or it cannot be had there. */
  readonly packages: Readonly<Record<Manager, readonly string[]>>;
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
assert made, "no ensurepip, so python3 -m venv does not work"
print(sys.executable)
print(made.origin)`;
const TOML = 'import sys\nif sys.version_info < (3, 11): import tomli';

function program(
  name: string,
  neededBy: string,
  packages: Capability['packages'],
  more: Partial<Extract<Probe, { kind: 'program' }>> & { readonly optional?: boolean } = {},
): Capability {
  const { optional = false, ...probe } = more;
  return {
    name,
    neededBy,
    optional,
    probe: { kind: 'program', program: name, args: ['--version'], ...probe },
    packages,
  };
}

/** The same package name everywhere. */
function everywhere(name: string): Capability['packages'] {
  return { apt: [name], dnf: [name], pacman: [name], brew: [name] };
}

/**
 * Everything that the builds call for. `cross` is build.cross; on a host that
 * is aarch64 itself, Debian's own compiler has the cross compiler's name.
 */
export function capabilities(cross: string, platform: NodeJS.Platform, arch: string): Capability[] {
  const native = arch === 'arm64' && platform === 'linux';
  const linux = platform === 'linux';
  return [
    program(
      `${cross}gcc`,
      'Linux, Busybox',
      {
        apt: [native ? 'gcc' : 'gcc-aarch64-linux-gnu'],
        dnf: native ? ['gcc'] : ['gcc-aarch64-linux-gnu', 'binutils-aarch64-linux-gnu'],
        pacman: native ? ['gcc'] : ['aarch64-linux-gnu-gcc', 'aarch64-linux-gnu-binutils'],
        brew: ['messense/macos-cross-toolchains/aarch64-unknown-linux-gnu'],
      },
      {},
    ),
    {
      name: 'static libc for aarch64',
      neededBy: 'Busybox',
      optional: false,
      probe: { kind: 'link', compiler: `${cross}gcc`, flags: ['-static'], source: HELLO, file: 'libc.a' },
      packages: {
        apt: [native ? 'libc6-dev' : 'libc6-dev-arm64-cross'],
        dnf: native ? ['glibc-static'] : ['sysroot-aarch64-fc*-glibc'],
        pacman: native ? ['glibc'] : ['aarch64-linux-gnu-glibc'],
        brew: ['messense/macos-cross-toolchains/aarch64-unknown-linux-gnu'],
      },
    },
    {
      name: 'gcc and libc headers',
      neededBy: 'QEMU, Linux',
      optional: false,
      probe: { kind: 'link', compiler: 'gcc', flags: [], source: HELLO, file: 'crt1.o' },
      packages: {
        apt: ['gcc', 'libc6-dev'],
        dnf: ['gcc', 'glibc-devel'],
        pacman: ['gcc'],
        brew: ['gcc'],
      },
    },
    program('make', 'Linux, Busybox', everywhere('make'), { version: 'GNU Make ([\\d.]+)', atLeast: '4.0' }),
    program(
      'ninja',
      'QEMU',
      { apt: ['ninja-build'], dnf: ['ninja-build'], pacman: ['ninja'], brew: ['ninja'] },
      { version: '^([\\d.]+)', atLeast: '1.8' },
    ),
    program('flex', 'Linux', everywhere('flex')),
    program('bison', 'Linux', everywhere('bison')),
    program('bc', 'Linux', everywhere('bc')),
    program('perl', 'Linux', {
      apt: ['perl'],
      dnf: ['perl-interpreter'],
      pacman: ['perl'],
      brew: ['perl'],
    }),
    {
      name: 'Python 3.9 or newer, with venv',
      neededBy: 'QEMU',
      optional: false,
      probe: { kind: 'python', code: VENV },
      packages: {
        apt: ['python3', 'python3-venv'],
        dnf: ['python3'],
        pacman: ['python'],
        brew: ['python@3.13'],
      },
    },
    {
      name: "Python's reader of TOML",
      neededBy: 'QEMU',
      optional: false,
      probe: { kind: 'python', code: TOML },
      packages: { apt: ['python3-tomli'], dnf: ['python3-tomli'], pacman: ['python-tomli'], brew: [] },
    },
    program('pkg-config', 'QEMU', {
      apt: ['pkg-config'],
      dnf: ['pkgconf-pkg-config'],
      pacman: ['pkgconf'],
      brew: ['pkgconf'],
    }),
    {
      name: 'glib headers, 2.66 or newer',
      neededBy: 'QEMU',
      optional: false,
      probe: { kind: 'link', compiler: 'gcc', flags: [], source: GLIB, module: 'glib-2.0', atLeast: '2.66' },
      packages: {
        apt: ['libglib2.0-dev'],
        dnf: ['glib2-devel'],
        pacman: ['glib2', 'glib2-devel'],
        brew: ['glib'],
      },
    },
    {
      name: 'zlib headers',
      neededBy: 'QEMU',
      optional: false,
      probe: { kind: 'link', compiler: 'gcc', flags: [], source: ZLIB, module: 'zlib' },
      packages: { apt: ['zlib1g-dev'], dnf: ['zlib-devel'], pacman: ['zlib'], brew: ['zlib'] },
    },
    {
      name: 'libfdt headers',
      neededBy: 'QEMU',
      optional: false,
      probe: { kind: 'link', compiler: 'gcc', flags: [], source: FDT, libraries: ['-lfdt'] },
      packages: { apt: ['libfdt-dev'], dnf: ['libfdt-devel'], pacman: ['dtc'], brew: ['dtc'] },
    },
    program('git', 'patches', everywhere('git')),
    program(
      'tar',
      'sources',
      { ...everywhere('tar'), brew: ['gnu-tar'] },
      { version: 'GNU tar\\) ([\\d.]+)' },
    ),
    program('find', 'sources', { ...everywhere('findutils') }, { version: 'GNU findutils\\) ([\\d.]+)' }),
    program('xz', 'sources', { apt: ['xz-utils'], dnf: ['xz'], pacman: ['xz'], brew: ['xz'] }),
    program('bzip2', 'sources', everywhere('bzip2'), { args: ['--help'] }),
    program('mke2fs', 'root file system', everywhere('e2fsprogs'), {
      args: ['-V'],
      version: '([\\d.]+)',
      atLeast: '1.43',
    }),
    program('debugfs', 'root file system', everywhere('e2fsprogs'), { args: ['-V'] }),
    ...(linux
      ? [
          program('flock', 'processes', { ...everywhere('util-linux'), dnf: ['util-linux-core'] }),
          program('setpriv', 'processes', everywhere('util-linux')),
        ]
      : []),
    program('ccache', 'a faster second build', everywhere('ccache'), { optional: true }),
    program(
      'dtc',
      'run --dump-dtb',
      { apt: ['device-tree-compiler'], dnf: ['dtc'], pacman: ['dtc'], brew: ['dtc'] },
      { optional: true },
    ),
  ];
}

/** What only this project's own tests call for: `doctor --tests`. */
export const TEST_CAPABILITIES: readonly Capability[] = [
  program('openssl', 'tests', everywhere('openssl'), { args: ['version'] }),
  program('shellcheck', 'tests', { ...everywhere('shellcheck'), dnf: ['ShellCheck'] }),
  program('dtc', 'tests', { apt: ['device-tree-compiler'], dnf: ['dtc'], pacman: ['dtc'], brew: ['dtc'] }),
  // Servers of a shared compile cache; the tests start their own.
  program('ccache', 'tests', everywhere('ccache')),
  program('redis-server', 'tests', {
    apt: ['redis-server'],
    dnf: ['redis'],
    pacman: ['redis'],
    brew: ['redis'],
  }),
  program('nginx', 'tests', everywhere('nginx'), { args: ['-v'] }),
  // Makes a pseudo-terminal. The other systems' script(1) takes other options.
  program('script', 'tests', { apt: ['bsdutils'], dnf: ['util-linux'], pacman: ['util-linux'], brew: [] }),
];

const GUESTS_GDB =
  'for gdb in gdb-multiarch aarch64-linux-gnu-gdb aarch64-elf-gdb gdb; do ' +
  '"$gdb" -batch -ex "set architecture aarch64" 2>&1 | grep -q "is set to" && exit; done; ' +
  'echo "no gdb in PATH knows aarch64"; exit 1';

/** What only some options call for; and their tests. */
export const OPTIONAL_TOOLS = {
  gdb: program('gdb', 'run --gdb-qemu', everywhere('gdb')),
  'guests-gdb': program(
    'gdb for aarch64',
    'run --gdb',
    { apt: ['gdb-multiarch'], dnf: ['gdb'], pacman: ['aarch64-linux-gnu-gdb'], brew: ['aarch64-elf-gdb'] },
    { program: 'sh', args: ['-c', GUESTS_GDB] },
  ),
} satisfies Readonly<Record<string, Capability>>;
export type OptionalTool = keyof typeof OPTIONAL_TOOLS;
