// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { addition } from './guest-edits.js';

test('the command for a new file of the guest is one command, whatever the disk is called', () => {
  const text = addition("/w/it's disk.ext4", '/usr/bin/new.sh', []);
  const [, command = ''] = /To keep it .*?: (.*)$/.exec(text) ?? [];
  const words = execFileSync('bash', ['-c', `debugfs() { printf '%s\\n' "$@"; }; ${command}`], {
    encoding: 'utf8',
  });
  expect(words).toBe("-R\ndump /usr/bin/new.sh guest_fs/NAME/new.sh\n/w/it's disk.ext4\n");
});

test.each([
  "/usr/bin/x'; touch /tmp/p; '",
  '/usr/bin/$(id)',
  '/usr/bin/a b',
  '/usr/bin/\u001B]0;t\u0007x\u202E',
  '/a\nb',
])('no command is offered for the name %j', (path) => {
  const text = addition('/disk', path, []);
  expect(text).not.toContain('debugfs');
  expect(text).not.toMatch(/[\p{Cc}\u202E]/u);
});
