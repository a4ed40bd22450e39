// SPDX-License-Identifier: MIT
/** What a new project is made of: the package's own device under another name, and the few files around it. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { isIgnored } from '../../../lib/files/ignored.js';
import { renamedC } from './align.js';
import { renamed } from './names.js';

export interface ProjectFile {
  readonly path: string;
  readonly text: string;
  /** It is a program. */
  readonly executable: boolean;
}

/** A project's own parts. */
const FOLDERS = ['device', 'driver', 'guest_fs', 'patches'];
/** The configurations of what is built; the rest of vm/ is the tool's. */
const CONFIGURATIONS = ['vm/busybox/busybox.config', 'vm/linux/kernel.config', 'vm/qemu'];

/** What only the package's own tests and documents use. */
const LEFT_OUT = new Set(
  ['generate.ts', 'registers-doc.ts', 'writer.ts'].map((name) => `device/stopwatch/${name}`),
);

/** The files of the package's own device as they are there, in the order of their paths. */
export async function templateFiles(packageRoot: string): Promise<readonly ProjectFile[]> {
  const found = await Promise.all(
    [...FOLDERS, ...CONFIGURATIONS].map(async (part) => filesIn(join(packageRoot, part))),
  );
  const files: ProjectFile[] = [];
  for (const file of found.flat().sort()) {
    const path = relative(packageRoot, file);
    if (LEFT_OUT.has(path) || path.endsWith('.test.ts')) continue;
    const executable = ((await stat(file)).mode & 0o111) !== 0;
    files.push({ path, text: await readFile(file, 'utf8'), executable });
  }
  return files;
}

async function filesIn(path: string): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  const entries = await readdir(path, { withFileTypes: true });
  const below = await Promise.all(
    entries
      .filter(({ name }) => !isIgnored(name))
      .map(async (entry) =>
        entry.isDirectory() ? filesIn(join(path, entry.name)) : [join(path, entry.name)],
      ),
  );
  return below.flat();
}

/** One of them, in a project whose device has this name. */
export function renamedFile(file: ProjectFile, name: string): ProjectFile {
  const { path, text } = file;
  const rename = (some: string): string => renamed(some, name);
  if (/\.[ch]$/.test(path)) return { ...file, path: rename(path), text: renamedC(text, rename) };
  return {
    ...file,
    path: rename(path),
    text: rename(path.endsWith('.ts') ? withKit(text, dirname(path)) : text),
  };
}

/** Its imports of the tool, by the names that the project's package.json gives them. */
function withKit(text: string, directory: string): string {
  return text.replaceAll(/'((?:\.\.\/)+[^']+)'/g, (whole, specifier: string) => {
    const path = join(directory, specifier);
    if (path === 'vm/device-kit.js') return "'#device-kit'";
    return path === 'lab/search/device-kit.js' ? "'#device-kit/fuzz'" : whole;
  });
}

export interface Around {
  readonly name: string;
  /** What npm is told of this package: a version, a path or an address. */
  readonly dependency: string;
  /** Versions of what an editor needs to check the project's TypeScript. */
  readonly editor: Readonly<Record<string, string>>;
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** The files that are no device's. */
export function surroundings({ name, dependency, editor }: Around): readonly ProjectFile[] {
  const files: Readonly<Record<string, string>> = {
    'package.json': json({
      name: name.replaceAll('_', '-'),
      private: true,
      type: 'module',
      scripts: { test: 'stopwatch all', 'check:types': 'tsc' },
      imports: { '#device-kit': 'stopwatch/device-kit', '#device-kit/fuzz': 'stopwatch/device-kit/fuzz' },
      devDependencies: { ...editor, stopwatch: dependency },
    }),
    'tsconfig.json': json({
      compilerOptions: {
        target: 'es2023',
        lib: ['es2023'],
        types: ['node'],
        module: 'nodenext',
        strict: true,
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
        verbatimModuleSyntax: true,
        skipLibCheck: true,
        noEmit: true,
      },
      include: ['stopwatch.config.ts', 'device'],
    }),
    'stopwatch.config.ts': CONFIG,
    '.gitignore': 'node_modules/\n.stopwatch/\n',
    'README.md': readme(name),
  };
  return Object.entries(files).map(([path, text]) => ({ path, text, executable: false }));
}

const CONFIG = `// SPDX-License-Identifier: MIT
/** What differs from the tool's defaults, which \`npx stopwatch status --json\` shows: nothing so far. */
import { defineConfig } from 'stopwatch';

export default defineConfig({});
`;

function readme(name: string): string {
  return `# ${name}

A para-virtualized device: a QEMU device, its Linux driver, a guest that exercises both, and a reference model that
judges every access.

\`\`\`sh
npm install
npx stopwatch all     # builds QEMU, Linux and Busybox with the device, boots, tests, judges
npx stopwatch dev     # the same on every save
\`\`\`

It starts as a copy of the stopwatch that comes with the tool, under the name \`${name}\`. Make it yours from the contract
outwards; after each step \`npx stopwatch all\` says whether device, driver and model still agree.

| you want to change | look in |
|---|---|
| a register, a command, a limit | \`device/${name}/contract.ts\`; \`driver/${name}/${name}_hw-sw.h\` follows by itself |
| what the device should do | \`device/${name}/model/\` |
| what it does | \`device/${name}/${name}.c\`, \`device/${name}/trace-events\` |
| how the two are compared | \`device/${name}/judge.ts\`, \`device/${name}/parse.ts\` |
| the driver | \`driver/${name}/${name}.c\` |
| what runs in the guest | \`guest_fs/${name}/\`: \`${name}_test.sh\` is the test |
| what the tool knows of it: files, names, properties | \`device/${name}/device.ts\`, \`device/${name}/description.ts\` |
| the few lines in QEMU's and Linux's own files | \`patches/\`, by \`npx stopwatch update_patches\` |
| the kernel's, Busybox's and QEMU's configuration | \`vm/\` |
| versions, the VM | \`stopwatch.config.ts\` |

What \`device/\` imports of the tool is \`#device-kit\`, and for \`fuzz\` and \`mutants\` \`#device-kit/fuzz\`; package.json says
what these are. The tool's own documents are in \`node_modules/stopwatch/docs/\`.
`;
}
