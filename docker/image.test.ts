// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { capabilities } from '../tasks/doctor/list.js';
import { parseAptSetup, SUITE } from './base.js';
import { defaultBase, imageFingerprint, KEPT_IMAGES, outdated, pullHint } from './image.js';

const dockerfile = readFileSync(new URL('Dockerfile', import.meta.url), 'utf8');

describe('the Dockerfile', () => {
  test('pins the release that is also bootstrapped, by digest', () => {
    expect(defaultBase(dockerfile)).toMatch(new RegExp(`^debian:${SUITE}-slim@sha256:[0-9a-f]{64}$`));
  });

  test('installs whatever the doctor asks for', () => {
    // In the base already, or built into this release's Python.
    const there = new Set(['tar', 'findutils', 'util-linux', 'python3-tomli']);
    const wanted = capabilities('aarch64-linux-gnu-', 'x64').flatMap(({ packages }) =>
      packages.apt.split(' '),
    );
    const installed = new Set(dockerfile.split(/\s+/));
    expect(wanted.length).toBeGreaterThan(10);
    expect(wanted.filter((name) => !there.has(name) && !installed.has(name))).toEqual([]);
  });
});

test('the fingerprint changes with each input', () => {
  const of = new Set([
    imageFingerprint('a', 'b', 'c'),
    imageFingerprint('A', 'b', 'c'),
    imageFingerprint('a', 'B', 'c'),
    imageFingerprint('a', 'b', 'C'),
    imageFingerprint('ab', '', 'c'),
  ]);
  expect(of.size).toBe(5);
  expect(imageFingerprint('a', 'b', 'c')).toBe(imageFingerprint('a', 'b', 'c'));
});

test('a registry that refuses leaves the pull to the user', () => {
  const refused =
    'pull access denied for reg.example/a, repository does not exist or may require docker login';
  expect(pullHint(refused, 'reg.example/a:1')).toContain('`docker pull reg.example/a:1`');
  expect(pullHint('dial tcp: lookup reg.example: no such host', 'reg.example/a:1')).toContain(
    '--base bootstrap',
  );
});

describe('what apt says', () => {
  const targets = `
Other|Other|main|http://other.example/apt/
Debian|Debian-Security|main|http://sec.example/debian-security/
Debian|Debian|contrib|http://contrib.example/debian/
Debian|Debian|main|http://deb.example/debian/
Debian|Debian|main|http://second.example/debian/
`;

  test('sources for the release, security if the host has it', () => {
    expect(parseAptSetup(targets, '').sources).toEqual([
      `deb http://deb.example/debian/ ${SUITE} main`,
      `deb http://deb.example/debian/ ${SUITE}-updates main`,
      `deb http://sec.example/debian-security/ ${SUITE}-security main`,
    ]);
  });

  test('no archive of Debian: none', () => {
    expect(parseAptSetup('Ubuntu|Ubuntu|main|http://u.example/\n', '').sources).toEqual([]);
    expect(parseAptSetup('', '').sources).toEqual([]);
    expect(parseAptSetup('Debian|Debian|main|cdrom://disk/\n', '').sources).toEqual([]);
  });

  test('its proxies go along', () => {
    const dump =
      'Acquire "";\nAcquire::http::Proxy "http://p:1";\nAcquire::http::Proxy::deb.example "DIRECT";\nAcquire::Retries "3";\nAcquire::https::Proxy "";';
    expect(parseAptSetup(targets, dump).options).toEqual([
      'Acquire::http::Proxy "http://p:1";',
      'Acquire::http::Proxy::deb.example "DIRECT";',
    ]);
  });
});

test('a proxy with a password is in no argument of a program and in no image; others are', () => {
  const dump = `Acquire::http::Proxy "http://ann:s@cret@p:1";
Acquire::https::Proxy "http://p:2";
Acquire::http::Proxy::other.example "http://ann:secret@q:1";
`;
  const { options, proxies } = parseAptSetup('', dump);
  expect(options).toEqual(['Acquire::https::Proxy "http://p:2";']);
  expect(proxies).toEqual({ http_proxy: 'http://ann:s@cret@p:1' });
});

test('an archive whose address has a password would have it in the image', () => {
  const targets = 'Debian|Debian|main|https://ann:secret@deb.example/\n';
  expect(parseAptSetup(targets, '').sources).toEqual([]);
});

const tag = (digit: number) => `stopwatch:${String(digit).repeat(16)}`;
const image = (digit: number, tags = [tag(digit)]) => ({ RepoTags: tags, Created: digit, Size: 1 });

test('the newest stay, and the current one however old', () => {
  const images = [1, 5, 3, 4, 2].map((digit) => image(digit));
  const names = (current: number) => outdated(images, 'stopwatch', tag(current)).map((one) => one.tag);
  expect(KEPT_IMAGES).toBe(3);
  expect(names(5)).toEqual([tag(2), tag(1)]);
  expect(names(1)).toEqual([tag(3), tag(2)]);
  expect(outdated(images.slice(0, 3), 'stopwatch', tag(5))).toEqual([]);
});

test('only what this program named: podman’s names are the same, others are not ours', () => {
  const images = [
    image(1, [`localhost/${tag(1)}`]),
    image(0, ['docker.io/library/stopwatch:0000000000000000']),
    image(2, ['stopwatch:mine', 'other:1111111111111111', 'reg.example/stopwatch:1111111111111111']),
    image(3, []),
    ...[4, 5, 6].map((digit) => image(digit)),
  ];
  expect(outdated(images, 'stopwatch', tag(6)).map((one) => one.tag)).toEqual([
    `localhost/${tag(1)}`,
    `docker.io/library/${tag(0)}`,
  ]);
  expect(outdated([image(1), ...images.slice(4)], 'stopwatch', tag(1)).map((one) => one.tag)).toEqual([
    tag(4),
  ]);
});
