// SPDX-License-Identifier: MIT
/** Derives the mirrors of another release from the configured ones. Pure. */
import type { Mirror, Source } from '../../config/schema.js';

/** The mirrors derived from one configured mirror. */
export interface Derived {
  /** Index among the configured mirrors. */
  readonly index: number;
  /** In the order to try, because Debian has several marks for repacked archives. The checksum is not known yet. */
  readonly candidates: readonly Unsummed[];
}

export type Unsummed = { readonly url: string } | { readonly debian: string };

export function derivedMirrors(source: Source, version: string): readonly Derived[] {
  return source.mirrors.map((mirror, index) => ({
    index,
    candidates:
      'url' in mirror
        ? [{ url: derivedAddress(mirror.url, source.version, version) }]
        : debianPaths(mirror.debian, source.version, version).map((debian) => ({ debian })),
  }));
}

/** Replaces the version, and the directory of the major version that kernel.org uses: v6.x. */
function derivedAddress(address: string, from: string, to: string): string {
  const [old = '', now = ''] = [from.split('.')[0], to.split('.')[0]];
  return address.replaceAll(from, to).replaceAll(`/v${old}.x/`, `/v${now}.x/`);
}

const debian = (version: string): string => version.replace('-rc', '~rc');

/** Debian may call `1.2.0` `1.2`, calls `1.2-rc3` `1.2~rc3`, and marks repacked archives with the reason. */
function debianPaths(path: string, from: string, to: string): string[] {
  const [, before, mark = '', after] =
    new RegExp(`^(.*_)${debian(from).replaceAll('.', '\\.')}(\\+[a-z]+)?(\\.orig\\..*)$`).exec(path) ?? [];
  if (before === undefined || after === undefined) return [path.replaceAll(from, to)];
  const versions = [debian(to), ...(to.endsWith('.0') ? [debian(to.replace(/\.0$/, ''))] : [])];
  const marks = mark === '' ? [''] : [...new Set([mark, '+ds', '+dfsg'])];
  return versions.flatMap((version) => marks.map((each) => `${before}${version}${each}${after}`));
}

/** All candidates as mirrors with this checksum. */
export function summed(derived: readonly Derived[], sha256: string): readonly Mirror[] {
  return derived.flatMap(({ candidates }) => candidates.map((mirror) => ({ ...mirror, sha256 })));
}

function sameFile(a: Unsummed, b: Unsummed): boolean {
  return 'url' in a ? 'url' in b && a.url === b.url : 'debian' in b && a.debian === b.debian;
}

/** The new mirror for each configured one; undefined if it holds another file, whose checksum is not known. */
export function keptMirrors(
  source: Source,
  derived: readonly Derived[],
  found: Mirror,
): readonly (Mirror | undefined)[] {
  const at = derived.findIndex(({ candidates }) => candidates.some((mirror) => sameFile(mirror, found)));
  const sum = source.mirrors[at]?.sha256;
  return derived.map(({ index, candidates }) => {
    if (index === at) return found;
    const [first] = candidates;
    const same = sum !== undefined && source.mirrors[index]?.sha256 === sum;
    return same && first !== undefined ? { ...first, sha256: found.sha256 } : undefined;
  });
}
