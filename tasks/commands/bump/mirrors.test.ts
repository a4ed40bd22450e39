// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest';
import config from '../../../config.js';
import { derivedMirrors, keptMirrors } from './mirrors.js';

const sum = 'ab'.repeat(32);
const candidatesOf = (name: 'qemu' | 'linux' | 'busybox', version: string) =>
  derivedMirrors({ ...config.sources[name], ...OLD[name] }, version).map(({ candidates }) =>
    candidates.map((mirror) => ('url' in mirror ? mirror.url : mirror.debian)),
  );

/** As the configuration may be at any time. */
const OLD = {
  qemu: {
    version: '10.0.2',
    mirrors: [
      { url: 'https://download.example/qemu-10.0.2.tar.xz', sha256: '1'.repeat(64) },
      { debian: 'pool/main/q/qemu/qemu_10.0.2+ds.orig.tar.xz', sha256: '2'.repeat(64) },
    ],
  },
  linux: {
    version: '6.12.94',
    mirrors: [
      { url: 'https://kernel.example/v6.x/linux-6.12.94.tar.xz', sha256: '1'.repeat(64) },
      { debian: 'pool/main/l/linux/linux_6.12.94.orig.tar.xz', sha256: '2'.repeat(64) },
    ],
  },
  busybox: {
    version: '1.37.0',
    mirrors: [
      { url: 'https://busybox.example/busybox-1.37.0.tar.bz2', sha256: '1'.repeat(64) },
      { debian: 'pool/main/b/busybox/busybox_1.37.0.orig.tar.bz2', sha256: '1'.repeat(64) },
    ],
  },
};

describe('mirrors of another release', () => {
  test('QEMU: Debian marks what it repacked in two ways', () => {
    expect(candidatesOf('qemu', '7.2.0')).toEqual([
      ['https://download.example/qemu-7.2.0.tar.xz'],
      [
        'pool/main/q/qemu/qemu_7.2.0+ds.orig.tar.xz',
        'pool/main/q/qemu/qemu_7.2.0+dfsg.orig.tar.xz',
        'pool/main/q/qemu/qemu_7.2+ds.orig.tar.xz',
        'pool/main/q/qemu/qemu_7.2+dfsg.orig.tar.xz',
      ],
    ]);
  });

  test('Linux: the directory of the major version, and release candidates', () => {
    expect(candidatesOf('linux', '7.3-rc7')).toEqual([
      ['https://kernel.example/v7.x/linux-7.3-rc7.tar.xz'],
      ['pool/main/l/linux/linux_7.3~rc7.orig.tar.xz'],
    ]);
  });

  test('of mirrors with different files, only those with the one that was found stay', () => {
    const derived = derivedMirrors({ ...config.sources.linux, ...OLD.linux }, '6.12.101');
    const debian = 'pool/main/l/linux/linux_6.12.101.orig.tar.xz';
    expect(keptMirrors({ ...config.sources.linux, ...OLD.linux }, derived, { debian, sha256: sum })).toEqual([
      undefined,
      { debian, sha256: sum },
    ]);
  });

  test('mirrors with the same file all stay', () => {
    const source = { ...config.sources.busybox, ...OLD.busybox };
    const url = 'https://busybox.example/busybox-1.38.0.tar.bz2';
    const debian = 'pool/main/b/busybox/busybox_1.38.0.orig.tar.bz2';
    expect(keptMirrors(source, derivedMirrors(source, '1.38.0'), { debian, sha256: sum })).toEqual([
      { url, sha256: sum },
      { debian, sha256: sum },
    ]);
  });
});
