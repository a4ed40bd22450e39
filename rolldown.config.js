// SPDX-License-Identifier: MIT
/**
 * Builds what is shipped: the command and the modules that projects import,
 * with the packages they use, in a few files. Node loads them several times
 * faster than the 300 files they are made of. Chunks that only some commands
 * need are loaded when one of these runs.
 */
import { chmodSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'rolldown';
import { dynamicImportVarsPlugin, importGlobPlugin } from 'rolldown/experimental';

/** `npm run build` builds beside what is there, and replaces it when all is well. */
const dist = process.env.DIST || 'dist';

const command = defineConfig({
  input: {
    stopwatch: 'tasks/cli/stopwatch.ts',
    config: 'tasks/config/define.ts',
    'device-kit': 'vm/device-kit.ts',
    'device-kit-fuzz': 'lab/search/device-kit.ts',
  },
  platform: 'node',
  // These read files of their own package at run time.
  external: ['dockerode', 'jiti'],
  // import(`../../device/${name}/device.ts`) in tasks/cli/devices.ts: a chunk for each device of the package.
  plugins: [dynamicImportVarsPlugin(), importGlobPlugin(), notices(), executable('stopwatch.js')],
  output: { dir: dist, format: 'esm', chunkFileNames: 'chunks/[name]-[hash].js' },
});

/** What a run's page holds inline: vm/report/page/assets.ts reads it. One script each, without imports. */
const pages = [
  ['main', 'vm/report/page/style.css'],
  ['plots', 'node_modules/uplot/dist/uPlot.min.css'],
].map(([name, sheet]) =>
  defineConfig({
    input: { script: `vm/report/page/client/${name}.ts` },
    platform: 'browser',
    plugins: [notices(), style(sheet)],
    output: { dir: `${dist}/page/${name}`, format: 'esm', minify: true, codeSplitting: false },
  }),
);

export default [command, ...pages];

function style(sheet) {
  return {
    name: 'style',
    generateBundle() {
      this.emitFile({ type: 'asset', fileName: 'style.css', source: readFileSync(sheet, 'utf8') });
    },
  };
}

/** Writes NOTICES: the name, version and license text of every package in the bundle. */
function notices() {
  return {
    name: 'notices',
    generateBundle(_options, bundle) {
      /** @type {Set<string>} */
      const packages = new Set();
      for (const { moduleIds = [] } of Object.values(bundle)) {
        for (const id of moduleIds) {
          const found = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id);
          if (found !== null) packages.add(found[0]);
        }
      }
      if (packages.size === 0) return;
      const source = [...packages].sort().map(notice).join(`\n${'-'.repeat(80)}\n\n`);
      this.emitFile({ type: 'asset', fileName: 'NOTICES', source });
    },
  };
}

function notice(directory) {
  const { name, version, license } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
  const file = readdirSync(directory).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file === undefined ? '' : readFileSync(join(directory, file), 'utf8');
  return `${name} ${version} (${license})\n\n${text.trim()}\n`;
}

/** `npx stopwatch` in a checkout runs the file itself. */
function executable(name) {
  return { name: 'executable', writeBundle: ({ dir }) => chmodSync(join(dir, name), 0o755) };
}
