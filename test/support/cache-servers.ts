// SPDX-License-Identifier: MIT
/** Real servers for a shared compile cache, configured as docs/cache.md says, on private sockets and ports. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { packageRoot } from '../../tasks/config/paths.js';
import { freePort } from './ports.js';
import { PATH } from './system-path.js';

export { freePort };

const PAGE = join(packageRoot(), 'docs', 'cache.md');

export const BUILD = { user: 'build', password: 'p4ssw0rd-of-build' };
export const CI = { user: 'ci', password: 'p4ssw0rd-of-ci' };

export interface Server {
  /** For `cache.remote`. */
  readonly address: string;
  stop(): Promise<void>;
}

/** The one fenced block of this language on the page. */
export function snippet(language: string): string {
  const blocks = [
    ...readFileSync(PAGE, 'utf8').matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\`$`, 'gm')),
  ];
  const [block] = blocks;
  if (block === undefined || blocks.length !== 1)
    throw new Error(`Expected one ${language} snippet, got ${blocks.length}`);
  return block[1] ?? '';
}

/** A text with every one of these changed; each must be in it. */
function changed(text: string, changes: Readonly<Record<string, string>>): string {
  let result = text;
  for (const [from, to] of Object.entries(changes)) {
    if (!result.includes(from)) throw new Error(`Expected '${from}' in\n${text}`);
    result = result.replaceAll(from, to);
  }
  return result;
}

/** `more`: lines that go over those of the page. */
export async function startRedis(directory: string, more: readonly string[] = []): Promise<Server> {
  mkdirSync(directory, { recursive: true });
  const socket = join(directory, 'redis.sock');
  const config = join(directory, 'redis.conf');
  const page = changed(snippet('redis'), { 'BUILD-PASSWORD': BUILD.password, 'CI-PASSWORD': CI.password });
  writeFileSync(config, [page, 'port 0', `unixsocket ${socket}`, `dir ${directory}`, ...more, ''].join('\n'));
  const child = start('redis-server', [config], join(directory, 'redis.log'));
  await listening(child, { path: socket }, join(directory, 'redis.log'));
  return { address: `redis+unix:${socket}`, stop: async () => end(child) };
}

/** `more`: directives of the server. */
export async function startNginx(directory: string, more = ''): Promise<Server & { readonly files: string }> {
  const temporary = join(directory, 'temporary');
  mkdirSync(join(directory, 'srv', 'ccache'), { recursive: true });
  mkdirSync(temporary, { recursive: true });
  const port = await freePort();
  const hash = execFileSync('openssl', ['passwd', '-apr1', BUILD.password], { encoding: 'utf8' }).trim();
  writeFileSync(join(directory, 'ccache.htpasswd'), `${BUILD.user}:${hash}\n`);
  const server = changed(snippet('nginx'), {
    'listen 8080;': `listen 127.0.0.1:${port}; ${more}`,
    '/srv': join(directory, 'srv'),
    '/etc/nginx': directory,
  });
  const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const config = [
    'daemon off;',
    // Started by root, nginx would switch to a user who may not read this directory.
    ...(process.getuid?.() === 0 ? ['user root;'] : []),
    `pid ${join(directory, 'nginx.pid')};`,
    `error_log ${join(directory, 'error.log')};`,
    'events {}',
    'http {',
    'access_log off;',
    ...kinds.map((kind) => `${kind}_temp_path ${temporary};`),
    server,
    '}',
  ];
  writeFileSync(join(directory, 'nginx.conf'), `${config.join('\n')}\n`);
  const log = join(directory, 'error.log');
  const child = start('nginx', ['-e', log, '-p', directory, '-c', join(directory, 'nginx.conf')], log);
  await listening(child, { port, host: '127.0.0.1' }, log);
  return {
    address: `http://127.0.0.1:${port}/ccache`,
    files: join(directory, 'srv', 'ccache'),
    stop: async () => end(child),
  };
}

function start(file: string, args: readonly string[], log: string): ChildProcess {
  const child = spawn(file, args, { env: { ...process.env, PATH }, stdio: ['ignore', 'pipe', 'pipe'] });
  const keep = (chunk: Buffer): void => writeFileSync(log, chunk, { flag: 'a' });
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  return child;
}

async function listening(
  child: ChildProcess,
  at: { readonly path: string } | { readonly port: number; readonly host: string },
  log: string,
): Promise<void> {
  const failures: Error[] = [];
  child.on('error', (error) => failures.push(error));
  for (let tries = 0; tries < 300 && failures.length === 0 && child.exitCode === null; tries++) {
    const socket = connect(at);
    const isThere = await Promise.race([
      once(socket, 'connect').then(
        () => true,
        () => false,
      ),
      once(child, 'exit').then(() => false),
    ]);
    socket.destroy();
    if (isThere) return;
    await sleep(100);
  }
  child.kill('SIGKILL');
  throw failures[0] ?? new Error(`${child.spawnfile} does not listen:\n${readFileSync(log, 'utf8')}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}
