// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest';
import { StopwatchError } from '../lib/errors.js';
import { daemonUnreachable, failed } from './errors.js';

/** As dockerode throws the daemon's answers. */
function answer(status: number, text: string): Error {
  return Object.assign(new Error(`(HTTP code ${status}) server error - ${text} `), { statusCode: status });
}

describe('a request that failed', () => {
  // The daemon's words were seen with Docker 20.10 and podman 4.3.
  test.each([
    [
      'disk-full',
      /system df/,
      'Error processing tar file(exit status 1): write /usr/x: no space left on device',
    ],
    ['docker-failed', /--rebuild/, 'no matching manifest for linux/amd64 in the manifest list entries'],
    ['docker-failed', /--rebuild/, 'OCI runtime create failed: exec /bin/sh: exec format error: unknown'],
    [
      'docker-failed',
      /local daemon/,
      'invalid mount config for type "bind": bind source path does not exist: /x',
    ],
    ['docker-failed', /local daemon/, 'statfs /x: no such file or directory'],
    ['command-not-found', /--rebuild/, 'exec: "foo": executable file not found in $PATH: unknown'],
    ['docker-failed', /journalctl/, 'something else'],
  ] as const)('%s, hint %s: %s', (code, hint, text) => {
    const error = failed(answer(500, text), 'testing');
    expect(error).toMatchObject({ code, message: `The Docker daemon failed while testing: ${text}` });
    expect(error.hint).toMatch(hint);
  });

  test('a daemon that went away, and an interruption', () => {
    const reset = Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
    expect(failed(reset, 'testing').code).toBe('docker-unreachable');
    expect(failed(reset, 'testing', AbortSignal.abort()).code).toBe('interrupted');
  });

  test('what has words already keeps them', () => {
    const error = new StopwatchError('disk-full', 'full');
    expect(failed(error, 'testing')).toBe(error);
  });
});

// Each of these took half a minute for an eighth of this: quadratic work, with which a build could stop its reader.
test.each(['exec: ', 'statfs ', 'does not match the detected ', "The command '", '(HTTP code 5) x'])(
  'a failure of a megabyte of %j is explained as fast as any other',
  (piece) => {
    expect(failed(answer(500, piece.repeat(2 ** 20 / piece.length)), 'testing').code).toBe('docker-failed');
  },
);

test('what the daemon says becomes one line without escape sequences', () => {
  const error = failed(answer(500, 'no\n  \u001B]0;title\u0007such\r\nthing'), 'testing');
  expect(error.message).toBe('The Docker daemon failed while testing: no such thing');
});

test('a proxy’s password is not repeated', () => {
  const error = failed(answer(500, 'proxyconnect http://ann:s@cret@proxy:1: refused'), 'testing');
  expect(error.message).toContain('http://…@proxy:1: refused');
});

describe('a daemon that cannot be reached', () => {
  test.each([
    ['EACCES', 'permission-denied', /may not use/],
    ['ENOENT', 'docker-unreachable', /No Docker daemon answers at here/],
    ['CERT_HAS_EXPIRED', 'docker-unreachable', /No secure connection.*CERT_HAS_EXPIRED/],
    ['ETIMEDOUT', 'docker-unreachable', /does not answer as a Docker daemon/],
  ])('%s', (errno, code, message) => {
    const error = daemonUnreachable(Object.assign(new Error('why'), { code: errno }), 'here');
    expect(error).toMatchObject({ code, exitCode: 5 });
    expect(error.message).toMatch(message);
  });

  test('plain words to a daemon that wants TLS', () => {
    const error = daemonUnreachable(answer(400, 'Client sent an HTTP request to an HTTPS server.'), 'here');
    expect(error.hint).toContain('DOCKER_TLS_VERIFY');
  });
});
