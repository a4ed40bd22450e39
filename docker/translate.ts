// SPDX-License-Identifier: MIT
/** Between our words and dockerode's: pure translations for `dockerode.ts`. */
import { Agent } from 'node:https';
import type Docker from 'dockerode';
import type { Endpoint } from './connection.js';
import type { ContainerSpec, EngineInfo } from './engine.js';
import { field, textField } from './field.js';

/** dockerode fills what is absent here from the environment, by rules of its own: so everything is present. */
export function clientOptions(endpoint: Endpoint): Docker.DockerOptions {
  const none: object = { host: undefined, port: undefined, socketPath: undefined, agent: undefined };
  const keys = { ca: undefined, cert: undefined, key: undefined, timeout: undefined, pathPrefix: '/' };
  if (endpoint.kind === 'unix') return { ...none, ...keys, socketPath: endpoint.path, protocol: 'http' };
  const { host, port, tls } = endpoint;
  const place = { ...none, ...keys, host: host.includes(':') ? `[${host}]` : host, port };
  if (tls === undefined) return { ...place, protocol: 'http' };
  const { ca, cert, key, verify } = tls;
  const agent = new Agent({ ca, cert, key, rejectUnauthorized: verify });
  const secure: object = { agent };
  return { ...place, ...secure, protocol: 'https' };
}

/** As the API wants it. Nothing beyond what any process of that user could do outside. */
export function containerOptions(spec: ContainerSpec): Docker.ContainerCreateOptions {
  return {
    Image: spec.image,
    Cmd: [...spec.command],
    User: spec.user,
    WorkingDir: spec.directory,
    Env: Object.entries(spec.env).map(([key, value]) => `${key}=${value}`),
    Labels: { ...spec.labels },
    Tty: spec.tty !== undefined,
    OpenStdin: spec.openStdin,
    StdinOnce: spec.openStdin,
    AttachStdin: spec.openStdin,
    AttachStdout: true,
    AttachStderr: true,
    StopSignal: 'SIGINT',
    HostConfig: {
      CapDrop: ['ALL'],
      // Daemons from version 23 on start with this size; for older ones it comes a moment after the start.
      ...(spec.tty === undefined ? {} : { ConsoleSize: [spec.tty.rows, spec.tty.columns] }),
      SecurityOpt: [...spec.securityOptions],
      Mounts: spec.binds.map(({ source, target, readOnly }) => ({
        Type: 'bind' as const,
        Source: source,
        Target: target,
        ReadOnly: readOnly,
      })),
      ...(spec.network === undefined ? {} : { NetworkMode: spec.network }),
      ...(spec.userNamespace === undefined ? {} : { UsernsMode: spec.userNamespace }),
    },
  };
}

/** `name[:tag][@digest]` as the two parameters of the API; a digest goes where the tag would. */
export function pullQuery(reference: string): { readonly fromImage: string; readonly tag: string } {
  const [named = '', digest] = reference.split('@');
  const [, name = named, tag] = /^(.*?)(?::([^/:]+))?$/.exec(named) ?? [];
  return { fromImage: name, tag: digest ?? tag ?? 'latest' };
}

export function engineInfo(info: unknown, networks: readonly { readonly Driver: string }[]): EngineInfo {
  const found = field(info, 'SecurityOptions');
  const options = Array.isArray(found) ? found.map(String) : [];
  const has = (name: string): boolean =>
    options.some((option) => option === name || option.split(',').includes(`name=${name}`));
  return {
    version: `Docker ${textField(info, 'ServerVersion') ?? '(no version)'}`,
    architecture: architecture(textField(info, 'Architecture') ?? ''),
    // The second is podman's.
    rootless: has('rootless') || field(info, 'Rootless') === true,
    remapsUsers: has('userns'),
    selinux: has('selinux'),
    hasBridge: networks.some(({ Driver }) => Driver === 'bridge'),
  };
}

/** The daemon says what `uname -m` says; images use the names of Go. */
function architecture(machine: string): string {
  const names: Readonly<Record<string, string>> = {
    x86_64: 'amd64',
    aarch64: 'arm64',
    armv7l: 'arm',
    i686: '386',
  };
  return names[machine] ?? machine;
}
