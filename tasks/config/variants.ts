// SPDX-License-Identifier: MIT
/** The ways in which everything can be built, side by side in one work directory. Pure data. */

export const VARIANTS = ['plain', 'sanitize', 'coverage', 'debug', 'kunit'] as const;
export type Variant = (typeof VARIANTS)[number];

/** Variants with their own kernel, which adds the options of vm/linux/VARIANT.config. */
export const KERNEL_VARIANTS: readonly Variant[] = ['debug', 'kunit'];

/** Settings of a variant; the user's own override them. */
export const VARIANT_SETTINGS: Readonly<Partial<Record<Variant, Readonly<Record<string, unknown>>>>> = {
  // KASAN takes an eighth of the memory and keeps what is freed; with all that is checked, a boot takes ten times as long.
  debug: {
    vm: {
      memoryMiB: 512,
      splats: 'fail',
      firstOutputSeconds: 60,
      silenceSeconds: 60,
      totalSeconds: 1800,
    },
  },
};

export function isVariant(value: unknown): value is Variant {
  return VARIANTS.some((name) => name === value);
}
