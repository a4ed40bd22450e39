// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { withRelease } from './edit-source.js';

const sha256 = 'ab'.repeat(32);
const debian = 'pool/main/l/linux/linux_7.0.4.orig.tar.xz';
const release = { version: '7.0.4', places: [undefined, { debian, sha256 }] };
const changed = (before: string, after: string) => {
  const [old, now] = [before.split('\n'), after.split('\n')];
  return {
    gone: old.filter((line) => !now.includes(line)),
    came: now.filter((line) => !old.includes(line)),
  };
};

describe('another release in the text of a configuration', () => {
  test("config.ts: the version, the sums and the addresses, and nothing else of the project's own file", () => {
    const text = readFileSync(fileURLToPath(new URL('../../../config.ts', import.meta.url)), 'utf8');
    const edited = withRelease(text, 'linux', release, false) ?? '';
    const { gone, came } = changed(text, edited);
    expect(came.map((line) => line.trim())).toEqual([
      "version: '7.0.4',",
      `debian: '${debian}',`,
      `sha256: '${sha256}',`,
    ]);
    expect(gone.length).toBe(5);
    expect(gone.every((line) => /version|url|debian|sha256/.test(line))).toBe(true);
    expect(edited).toContain('// The upstream sums are those');
    expect(edited.match(/leaveOut: \[/g)?.length).toBe(3);
  });

  test('comments, quotes and other settings stay', () => {
    const text = `import { defineConfig } from 'stopwatch';

export default defineConfig({
  vm: { memoryMiB: 256 }, // more, for { tests }
  sources: {
    /* the kernel: "linux: {" */
    linux: {
      version: "6.12.94", // long-term
      places: [
        // upstream
        { url: "https://kernel.example/linux-6.12.94.tar.xz", sha256: "${'1'.repeat(64)}" },
        // Debian's
        { debian: "pool/main/l/linux/linux_6.12.94.orig.tar.xz", sha256: "${'2'.repeat(64)}" },
      ],
    },
  },
});
`;
    expect(withRelease(text, 'linux', release, false)).toBe(
      text
        .replace('"6.12.94"', '"7.0.4"')
        .replace(/ {8}\{ url: .*\n/, '')
        .replace('linux_6.12.94', 'linux_7.0.4')
        .replace('2'.repeat(64), sha256),
    );
  });

  test('a file that says nothing of the source gets it at its end', () => {
    const text = 'export default {\n  vm: { cpus: 2 }, // two\n};\n';
    expect(withRelease(text, 'linux', release, false)).toBe(`export default {
  vm: { cpus: 2 }, // two
  sources: {
    linux: {
      version: '7.0.4',
      places: [
        {
          debian: '${debian}',
          sha256: '${sha256}',
        },
      ],
    },
  },
};
`);
  });

  test('JSON stays JSON', () => {
    const text = '{\n  "vm": { "cpus": 2 },\n  "sources": { "qemu": { "tree": "../qemu" } }\n}\n';
    const edited = withRelease(text, 'linux', release, true) ?? '';
    expect(JSON.parse(edited)).toEqual({
      vm: { cpus: 2 },
      sources: {
        qemu: { tree: '../qemu' },
        linux: { version: '7.0.4', places: [{ debian, sha256 }] },
      },
    });
    expect(JSON.parse(withRelease('{}', 'linux', release, true) ?? '')).toEqual({
      sources: { linux: { version: '7.0.4', places: [{ debian, sha256 }] } },
    });
  });

  test.each([
    'const config = {};\nexport default config;\n',
    "import base from './base.js';\nexport default { ...base };\n",
    'export default { sources: ',
  ])('what is not plain data is left to a person: %s', (text) => {
    expect(withRelease(text, 'linux', release, false)).toBeUndefined();
  });
});
