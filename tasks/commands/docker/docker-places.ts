// SPDX-License-Identifier: MIT
/** What of this machine a container is given, as it is found here: directories, the user, certificates. */
import { mkdir, readFile, realpath } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { errnoOf } from '../../../lib/errno.js';
import { StopwatchError } from '../../../lib/errors.js';
import { ccacheDirectory } from '../../build/ccache-directory.js';
import { containerWork } from '../../build/layout.js';
import type { Places } from './docker-plan.js';
import type { Services } from '../../config/services.js';
import { cacheDirectory } from '../../build/sources.js';

/** Makes what is to be mounted: what is missing the daemon would make, as root. */
export async function makePlaces(services: Services): Promise<Places> {
  const { loaded, environment } = services;
  const places: Places = {
    work: containerWork(loaded.paths.work),
    downloads: cacheDirectory(loaded.config, environment),
    ccache: await ccacheDirectory(services),
  };
  for (const path of Object.values(places)) {
    try {
      await mkdir(path, { recursive: true });
    } catch (cause) {
      const { code, message } = errnoOf(cause);
      throw new StopwatchError(
        code === 'ENOSPC' ? 'disk-full' : 'permission-denied',
        `Cannot make ${path}, which is to be mounted into the container: ${message}`,
        { hint: 'make it writable for you, or choose another directory', cause },
      );
    }
  }
  return places;
}

/** The paths, and where they lead to if they are links: inside, a link needs its target. */
export async function withTargets(paths: readonly string[]): Promise<readonly string[]> {
  const targets = await Promise.all(paths.map((path) => realpath(path).catch(() => path)));
  return [...new Set([...paths, ...targets])];
}

export function isBelow(path: string, directories: readonly string[]): boolean {
  return directories.some((directory) => path === directory || path.startsWith(`${directory}/`));
}

export function thisUser(): { uid: number; gid: number; name: string } {
  const uid = process.getuid?.() ?? 0;
  const gid = process.getgid?.() ?? 0;
  try {
    return { uid, gid, name: userInfo().username };
  } catch {
    // Whoever has no entry in the list of users.
    return { uid, gid, name: 'stopwatch' };
  }
}

/**
 * The authorities that Node trusts beside its own (`NODE_EXTRA_CA_CERTS`), as PEM: where a proxy or a cache server has a
 * certificate of the user's own, it has it for the container too. Throws 'file-unreadable'.
 */
export async function extraCertificates(environment: Services['environment']): Promise<string | undefined> {
  const file = environment['NODE_EXTRA_CA_CERTS'];
  if (!file) return undefined;
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new StopwatchError(
      'file-unreadable',
      `NODE_EXTRA_CA_CERTS names ${file}, which cannot be read: ${errnoOf(cause).message}`,
      { hint: 'name a file of certificates in PEM, or unset the variable', cause },
    );
  }
}
