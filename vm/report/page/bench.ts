// SPDX-License-Identifier: MIT
/** Plots of measured figures, each with its table. */
import { type Html, html, section, table } from './html.js';

/** One plot: medians over sizes, with their spread. Both axes are logarithmic. */
export interface BenchPlot {
  readonly title: string;
  /** What the columns are, such as 'bytes'. */
  readonly x: { readonly label: string; readonly values: readonly number[] };
  /** What is measured, such as 'ns per byte'. */
  readonly unit: string;
  readonly series: readonly BenchSeries[];
}

export interface BenchSeries {
  readonly name: string;
  /** One per value of x; NaN where it was not measured. */
  readonly median: readonly number[];
  readonly low: readonly number[];
  readonly high: readonly number[];
  /** Exits of the guest per operation, where they were counted. */
  readonly exits?: readonly number[] | undefined;
}

export function benchSection(plots: readonly BenchPlot[]): Html | undefined {
  if (plots.length === 0) return undefined;
  return section(
    'bench',
    'Measured',
    plots.map((plot, index) =>
      plot.x.values.length < 2
        ? html`<h3>${plot.title}</h3>
${variantTable(plot)}`
        : html`<h3>${plot.title}</h3>
<figure class="plot" data-plot="${index}" role="img" aria-label="${plot.title}: the table below has the same figures"></figure>
${sizeTable(plot)}`,
    ),
  );
}

/** Without sizes there is nothing to plot. */
function variantTable({ title, unit, series }: BenchPlot): Html {
  return table(
    `${title}, ${unit}`,
    ['', 'median', 'lowest', 'highest', 'exits per operation'],
    series.map(({ name, median, low, high, exits }) => [
      name,
      ...[median, low, high, exits].map((values) => figure(values?.[0])),
    ]),
  );
}

function sizeTable({ title, x, unit, series }: BenchPlot): Html {
  return table(
    `${title}, ${unit}: median (lowest to highest)`,
    [x.label, ...series.flatMap(({ name, exits }) => (exits ? [name, `${name}, exits`] : [name]))],
    x.values.map((value, at) => [
      String(value),
      ...series.flatMap(({ median, low, high, exits }) => [
        Number.isNaN(median[at]) ? '' : `${figure(median[at])} (${figure(low[at])} to ${figure(high[at])})`,
        ...(exits ? [figure(exits[at])] : []),
      ]),
    ]),
  );
}

/** To four digits. */
export function figure(value: number | undefined): string {
  return value === undefined
    ? ''
    : Number(value.toPrecision(4)).toLocaleString('en-US', { maximumFractionDigits: 6 });
}
