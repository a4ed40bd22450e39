// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { archiveAddress, parseIndexTargets, parseProxySettings } from './mirror.js';

describe('parseIndexTargets', () => {
  it('gives each address once, security archives last, http and https only', () => {
    const text = [
      'http://archive.invalid/debian-security/ stable-security',
      'http://archive.invalid/debian stable',
      'http://archive.invalid/debian/ stable-updates',
      'https://other.invalid/mirror/ stable',
      'https://third.invalid/x/ stable-security',
      'file:/srv/mirror/ stable',
      'cdrom://disk/ stable',
      '',
    ].join('\n');
    expect(parseIndexTargets(text)).toEqual([
      'http://archive.invalid/debian/',
      'https://other.invalid/mirror/',
      'http://archive.invalid/debian-security/',
      'https://third.invalid/x/',
    ]);
  });

  it('gives an archive that also holds security repairs its usual rank', () => {
    const text = 'http://one.invalid/u/ x-security\nhttp://two.invalid/u/ x\nhttp://one.invalid/u/ x\n';
    expect(parseIndexTargets(text)).toEqual(['http://two.invalid/u/', 'http://one.invalid/u/']);
  });
});

describe('parseProxySettings', () => {
  it('reads proxies of all and of single hosts', () => {
    const dump = [
      'APT "";',
      'Acquire::http::Proxy "http://proxy.invalid:3142/";',
      'Acquire::http::Proxy::Near.invalid "DIRECT";',
      'Acquire::https::Proxy "";',
      'Acquire::http::Timeout "30";',
    ].join('\n');
    expect([...parseProxySettings(dump)]).toEqual([
      ['http', 'http://proxy.invalid:3142/'],
      ['http near.invalid', 'DIRECT'],
    ]);
  });
});

describe('archiveAddress', () => {
  it('writes a plus as apt does', () => {
    expect(archiveAddress('http://a.invalid/d/', 'pool/main/q/q_1+ds~2.tar.xz')).toBe(
      'http://a.invalid/d/pool/main/q/q_1%2Bds~2.tar.xz',
    );
  });
});
