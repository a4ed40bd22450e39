// SPDX-License-Identifier: MIT
/** Where another release of a source is, from where the configured one is. Pure. */
import type { Place, Source } from '../../config/schema.js';

/** What one configured place becomes. */
export interface Derived {
  /** Index among the configured places. */
  readonly index: number;
  /** To be tried in this order; Debian marks what it repacked in more than one way. The sum is not known yet. */
  readonly candidates: readonly Unsummed[];
}

export type Unsummed = { readonly url: string } | { readonly debian: string };

export function derivedPlaces(source: Source, version: string): readonly Derived[] {
  return source.places.map((place, index) => ({
    index,
    candidates:
      'url' in place
        ? [{ url: derivedAddress(place.url, source.version, version) }]
        : debianPaths(place.debian, source.version, version).map((debian) => ({ debian })),
  }));
}

/** The version, and a directory of its major version, as kernel.org has them: v6.x. */
function derivedAddress(address: string, from: string, to: string): string {
  const [old = '', now = ''] = [from.split('.')[0], to.split('.')[0]];
  return address.replaceAll(from, to).replaceAll(`/v${old}.x/`, `/v${now}.x/`);
}

const debian = (version: string): string => version.replace('-rc', '~rc');

/** `1.2.0` may be `1.2` there, `1.2-rc3` is `1.2~rc3`, and what was repacked has a mark of why. */
function debianPaths(path: string, from: string, to: string): string[] {
  const [, before, mark = '', after] =
    new RegExp(`^(.*_)${debian(from).replaceAll('.', '\\.')}(\\+[a-z]+)?(\\.orig\\..*)$`).exec(path) ?? [];
  if (before === undefined || after === undefined) return [path.replaceAll(from, to)];
  const versions = [debian(to), ...(to.endsWith('.0') ? [debian(to.replace(/\.0$/, ''))] : [])];
  const marks = mark === '' ? [''] : [...new Set([mark, '+ds', '+dfsg'])];
  return versions.flatMap((version) => marks.map((each) => `${before}${version}${each}${after}`));
}

/** All candidates as places with this sum. */
export function summed(derived: readonly Derived[], sha256: string): readonly Place[] {
  return derived.flatMap(({ candidates }) => candidates.map((place) => ({ ...place, sha256 })));
}

function sameFile(a: Unsummed, b: Unsummed): boolean {
  return 'url' in a ? 'url' in b && a.url === b.url : 'debian' in b && a.debian === b.debian;
}

/** The configured places, with what becomes of each; undefined: it holds another file, whose sum nobody has given. */
export function keptPlaces(
  source: Source,
  derived: readonly Derived[],
  found: Place,
): readonly (Place | undefined)[] {
  const at = derived.findIndex(({ candidates }) => candidates.some((place) => sameFile(place, found)));
  const sum = source.places[at]?.sha256;
  return derived.map(({ index, candidates }) => {
    if (index === at) return found;
    const [first] = candidates;
    const same = sum !== undefined && source.places[index]?.sha256 === sum;
    return same && first !== undefined ? { ...first, sha256: found.sha256 } : undefined;
  });
}
