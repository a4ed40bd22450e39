// SPDX-License-Identifier: MIT
/** Plots benchmark results: medians with their spread on logarithmic axes, and exits below. */
import uPlot from 'uplot';
import type { BenchPlot, BenchSeries } from '../bench.js';
import { unpack } from './unpack.js';

const COLOURS = ['#1f6fd0', '#b3541e', '#2c8a4b', '#8a4fc0', '#b08900', '#c23b6b'];

function sizeOf(box: HTMLElement): { readonly width: number; readonly height: number } {
  return { width: Math.max(280, box.clientWidth), height: 280 };
}

/** Plots each median, with a band from lowest to highest. */
function plot(box: HTMLElement, { x, unit, series }: BenchPlot, muted: string): uPlot {
  const axis = { stroke: muted, grid: { stroke: `${muted}44`, width: 1 }, ticks: { stroke: muted } };
  return new uPlot(
    {
      ...sizeOf(box),
      // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- 3 is logarithmic, in an enum that only types have
      scales: { x: { time: false, distr: 3 }, y: { distr: 3 } },
      axes: [
        { ...axis, label: x.label },
        { ...axis, label: unit, size: 70 },
      ],
      series: [
        { label: x.label },
        ...series.flatMap(({ name }, index): uPlot.Series[] => {
          const stroke = COLOURS[index % COLOURS.length] ?? muted;
          const edge = { stroke: `${stroke}66`, width: 1, points: { show: false } };
          return [
            { label: name, stroke, width: 2, points: { show: true, size: 6 } },
            { label: `${name}, lowest`, ...edge },
            { label: `${name}, highest`, ...edge },
          ];
        }),
      ],
      bands: series.map((_, index) => ({
        series: [3 * index + 3, 3 * index + 2],
        fill: `${COLOURS[index % COLOURS.length] ?? muted}22`,
      })),
      legend: { show: true },
    },
    [[...x.values], ...series.flatMap(({ median, low, high }) => [[...median], [...low], [...high]])],
    box,
  );
}

/** A separate plot for the exits. */
function exitsOf(bench: BenchPlot): BenchPlot | undefined {
  const counted = bench.series.flatMap(({ exits, ...one }): BenchSeries[] =>
    exits === undefined ? [] : [{ ...one, median: exits, low: exits, high: exits }],
  );
  // A logarithmic axis cannot show zero.
  const shown = counted.filter(({ median }) => median.every((value) => value > 0));
  return shown.length === 0 ? undefined : { ...bench, unit: 'exits per operation', series: shown };
}

const benches = await unpack<readonly BenchPlot[]>('plots');
const muted = getComputedStyle(document.documentElement).getPropertyValue('--muted').trim();
for (const box of document.querySelectorAll<HTMLElement>('[data-plot]')) {
  const bench = benches[Number(box.dataset['plot'])];
  if (bench === undefined) continue;
  const exits = exitsOf(bench);
  const plots = [bench, ...(exits === undefined ? [] : [exits])].map((one) => plot(box, one, muted));
  new ResizeObserver(() => plots.forEach((one) => one.setSize(sizeOf(box)))).observe(box);
}
