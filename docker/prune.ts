// SPDX-License-Identifier: MIT
/** Images of older inputs: a few are kept, for checkouts that take turns; what is older goes. */
import type { Engine, StoredImage } from './engine.js';

/** How many images of one kind stay, the current one among them. */
export const KEPT_IMAGES = 3;

/** What podman puts before names without a registry, for images that were imported and that were built. */
const PODMANS = /^(?:localhost|docker\.io\/library)\//;

export interface Pruned {
  readonly tag: string;
  readonly sizeBytes: number;
}

/**
 * Removes the images of `repository` that carry the label and are older than the newest KEPT_IMAGES; never `current`,
 * nor one that a container has. Gives what was removed.
 */
export async function pruneImages(
  engine: Engine,
  repository: string,
  label: string,
  current: string,
): Promise<readonly Pruned[]> {
  const removed: Pruned[] = [];
  for (const { tag, sizeBytes } of outdated(await engine.images(label), repository, current)) {
    if (await engine.removeImage(tag)) removed.push({ tag, sizeBytes });
  }
  return removed;
}

/** The tags that are to go, newest first. Pure. */
export function outdated(
  images: readonly StoredImage[],
  repository: string,
  current: string,
): readonly Pruned[] {
  const name = new RegExp(`^${repository}:[0-9a-f]{16}$`);
  const ours = images
    .flatMap(({ tags, ...image }) => tags.map((tag) => ({ ...image, tag, plain: tag.replace(PODMANS, '') })))
    .filter(({ plain }) => name.test(plain) && plain !== current)
    .sort((a, b) => b.createdS - a.createdS);
  return ours.slice(KEPT_IMAGES - 1).map(({ tag, sizeBytes }) => ({ tag, sizeBytes }));
}
