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
  /** One per value of x. */
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
    plots.map(
      (plot, index) => html`<h3>${plot.title}</h3>
<figure class="plot" data-plot="${index}" role="img" aria-label="${plot.title}: the table below has the same figures"></figure>
${benchTable(plot)}`,
    ),
  );
}

function benchTable({ title, x, unit, series }: BenchPlot): Html {
  return table(
    `${title}, ${unit}: median (lowest to highest)`,
    [x.label, ...series.flatMap(({ name, exits }) => (exits ? [name, `${name}, exits`] : [name]))],
    x.values.map((value, at) => [
      String(value),
      ...series.flatMap(({ median, low, high, exits }) => [
        `${figure(median[at])} (${figure(low[at])} to ${figure(high[at])})`,
        ...(exits ? [figure(exits[at])] : []),
      ]),
    ]),
  );
}

function figure(value: number | undefined): string {
  return value === undefined ? '' : value.toPrecision(4);
}
