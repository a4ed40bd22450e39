// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { proxyFromEnv } from './proxy.js';

const proxy = (url: string, env: Record<string, string>) => proxyFromEnv(new URL(url), env);

describe('proxyFromEnv', () => {
  it('takes the variable of the protocol, small letters first, then all_proxy', () => {
    const env = {
      http_proxy: 'http://small.invalid',
      HTTP_PROXY: 'http://big.invalid',
      ALL_PROXY: 'all.invalid:1',
    };
    expect(proxy('http://x.invalid/', env)).toBe('http://small.invalid');
    expect(proxy('https://x.invalid/', env)).toBe('http://all.invalid:1');
    expect(proxy('https://x.invalid/', { HTTPS_PROXY: 'https://s.invalid' })).toBe('https://s.invalid');
    expect(proxy('http://x.invalid/', { http_proxy: '' })).toBeUndefined();
  });

  it.each([
    ['http://a.example.invalid/', 'example.invalid', true],
    ['http://a.example.invalid/', '.example.invalid', true],
    ['http://a.example.invalid/', '*.example.invalid', true],
    ['http://badexample.invalid/', 'example.invalid', false],
    ['http://x.invalid/', 'y.invalid, X.INVALID', true],
    ['http://x.invalid/', '*', true],
    ['http://x.invalid:81/', 'x.invalid:81', true],
    ['http://x.invalid/', 'x.invalid:81', false],
    ['https://x.invalid/', 'x.invalid:443', true],
    ['http://127.0.0.1:9/', 'localhost,127.0.0.1', true],
    ['http://[::1]:9/', '::1', true],
    ['http://[::1]:9/', '[::1]:9', true],
    ['http://x.invalid/', '', false],
  ])('%s with no_proxy=%s: exempt is %s', (url, list, exempt) => {
    const found = proxy(url, {
      http_proxy: 'http://p.invalid',
      https_proxy: 'http://p.invalid',
      no_proxy: list,
    });
    expect(found).toBe(exempt ? undefined : 'http://p.invalid');
  });
});
