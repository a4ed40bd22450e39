// SPDX-License-Identifier: MIT
/**
 * The same requests to podman's service (Debian's podman) instead of Docker's daemon. A small image stands for
 * the real one: what a build does in a container is tested with Docker's.
 */
import { chownSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CALLER, SOCKET_GROUP } from '../test/support/docker.js';
import { type PodmanService, smallRoot, startPodman, whyNoPodman } from '../test/support/podman.js';
import type Docker from 'dockerode';
import { archive, daemonInfo, findImage, follow, importImage } from './api.js';
import { containerOptions, type RunRequest, runInContainer } from './container.js';
import { connect } from './daemon.js';
import { attempt } from './errors.js';
import { KEPT_IMAGES, pruneImages } from './image.js';
import { thisOwner } from '../lib/process/owner.js';
import { containersOf, OWNER_LABEL, removeLeftovers } from './leftovers.js';

const never = new AbortController().signal;
const IMAGE = 'stopwatch-small:1';
const missing = whyNoPodman();

function tag(number: number): string {
  return `stopwatch:${String(number).repeat(16)}`;
}

const services = [
  { whose: 'root', options: {}, inside: { uid: CALLER, name: 'ann' } },
  // Root of such a container is the user outside of it.
  {
    whose: 'a user',
    options: { user: { uid: CALLER, gid: SOCKET_GROUP } },
    inside: { uid: 0, name: 'root' },
  },
] as const;

describe.skipIf(missing !== undefined).each(services)(
  `podman of $whose${missing === undefined ? '' : ` (${missing})`}`,
  ({ options, inside }) => {
    let service: PodmanService | undefined;
    let docker: Docker;
    let directory: string;

    beforeAll(async () => {
      directory = mkdtempSync(join(tmpdir(), 'stopwatch-podman-test-'));
      chownSync(directory, CALLER, SOCKET_GROUP);
      service = await startPodman(options);
      docker = await connect({ env: { DOCKER_HOST: service.address }, home: homedir() }, never);
      await importImage(docker, Readable.from([smallRoot()]), IMAGE, {}, never);
    });

    afterAll(async () => {
      await service?.stop();
      rmSync(directory, { recursive: true, force: true });
    });

    function request(script: string, changes: Partial<RunRequest> = {}): RunRequest {
      return {
        image: IMAGE,
        command: ['sh', '-c', script],
        directory,
        directories: [directory],
        env: {},
        user: { uid: CALLER, gid: SOCKET_GROUP, name: 'ann' },
        // Nothing of this host's network is changed for a test.
        network: 'host',
        work: directory,
        owner: thisOwner(),
        main: join(directory, 'main.js'),
        ...changes,
      };
    }

    async function run(
      script: string,
      signal: AbortSignal = never,
      onOutput: () => void = () => {},
      changes: Partial<RunRequest> = {},
    ): Promise<{ code: number; out: string; err: string }> {
      const said = { out: '', err: '' };
      const to = (name: 'out' | 'err') =>
        new Writable({
          write(chunk: Buffer, _encoding, done) {
            said[name] += chunk.toString();
            onOutput();
            done();
          },
        });
      const streams = { stdout: to('out'), stderr: to('err') };
      const code = await runInContainer(docker, request(script, changes), streams, signal);
      return { code, ...said };
    }

    test('what it says of itself', async () => {
      const { architecture, rootless } = await daemonInfo(docker);
      expect((await findImage(docker, IMAGE))?.Architecture).toBe(architecture);
      expect(rootless).toBe(inside.uid === 0);
    });

    test('user, directory, both streams, exit code; files on the mount are the caller’s', async () => {
      const ended = await run('id -u; id -un; pwd; echo oops >&2; touch made; exit 7');
      expect(ended).toEqual({ code: 7, out: `${inside.uid}\n${inside.name}\n${directory}\n`, err: 'oops\n' });
      expect(statSync(join(directory, 'made'))).toMatchObject({ uid: CALLER, gid: SOCKET_GROUP });
    });

    test('one file of a directory, without its neighbours', async () => {
      const apart = mkdtempSync(join(tmpdir(), 'stopwatch-podman-file-'));
      for (const name of ['summary', 'commands']) writeFileSync(join(apart, name), '');
      chownSync(apart, CALLER, SOCKET_GROUP);
      chownSync(join(apart, 'summary'), CALLER, SOCKET_GROUP);
      const directories = [directory, join(apart, 'summary')];
      const { code, out } = await run(`echo ${apart}/*; echo written >>${apart}/summary`, never, undefined, {
        directories,
      });
      expect({ code, out }).toEqual({ code: 0, out: `${apart}/summary\n` });
      expect(readFileSync(join(apart, 'summary'), 'utf8')).toBe('written\n');
      rmSync(apart, { recursive: true });
    });

    test('a program that is not there', async () => {
      const spec = request('', { command: ['no-such-program'] });
      const sink = new Writable({ write: (_chunk, _encoding, done) => done() });
      await expect(runInContainer(docker, spec, { stdout: sink, stderr: sink }, never)).rejects.toMatchObject(
        {
          code: 'command-not-found',
        },
      );
    });

    test('aborted: the command gets SIGINT, and nothing stays', async () => {
      const abort = new AbortController();
      const ready = () => abort.abort();
      const script = 'trap "touch interrupted; exit 0" INT; echo ready; while :; do sleep 0.1; done';
      await expect(run(script, abort.signal, ready)).rejects.toMatchObject({ code: 'interrupted' });
      expect(statSync(join(directory, 'interrupted')).uid).toBe(CALLER);
      expect(await containersOf(docker, directory)).toEqual([]);
    });

    test('what a killed run has left is removed', async () => {
      const made = containerOptions(request('sleep 60'), await daemonInfo(docker), undefined);
      const gone = { ...thisOwner(), pid: 1, start: 'another' };
      const Labels = { ...made.Labels, [OWNER_LABEL]: JSON.stringify(gone) };
      const left = await docker.createContainer({ ...made, Labels });
      await left.start();
      expect(await removeLeftovers(docker, directory)).toEqual([left.id]);
      expect(await containersOf(docker, directory)).toEqual([]);
    });

    test('builds an image, says which step failed, and lets older ones go', async () => {
      // By its id, as a base that was bootstrapped.
      const base = (await findImage(docker, IMAGE))?.Id ?? '';
      const build = async (number: number, last: string): Promise<readonly string[]> => {
        const lines: string[] = [];
        const dockerfile = `ARG BASE=x\nFROM \${BASE}\nRUN ${last}\n`;
        const context = archive([{ path: 'Dockerfile', content: dockerfile, mode: 0o644 }]);
        await attempt('building', async () => {
          const stream = await docker.buildImage(Readable.from([context]), {
            t: tag(number),
            buildargs: { BASE: base },
            labels: { 'stopwatch.fingerprint': String(number) },
            networkmode: 'host',
          });
          await follow(stream, (line) => lines.push(line));
        });
        return lines;
      };
      for (let number = 0; number <= KEPT_IMAGES; number++) {
        if (number > 0) await sleep(1100);
        expect((await build(number, `echo this is ${number}`)).join('\n')).toContain(`this is ${number}`);
        expect((await findImage(docker, tag(number)))?.Config.Labels['stopwatch.fingerprint']).toBe(
          String(number),
        );
      }
      await expect(build(9, 'exit 9')).rejects.toMatchObject({ code: 'docker-failed' });
      const removed = await pruneImages(docker, 'stopwatch', 'stopwatch.fingerprint', tag(KEPT_IMAGES));
      expect(removed.map((one) => one.tag)).toEqual([expect.stringContaining(tag(0))]);
      expect(await findImage(docker, tag(0))).toBeUndefined();
      expect(await findImage(docker, tag(1))).toBeDefined();
    });
  },
);
