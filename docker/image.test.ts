// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { capabilities } from '../tasks/doctor/list.js';
import { parseAptSetup, SUITE } from './base.js';
import { defaultBase, imageFingerprint } from './image.js';

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
