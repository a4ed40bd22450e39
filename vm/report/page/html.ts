// SPDX-License-Identifier: MIT
/** HTML templates that escape all interpolated text. */
import { visible } from './text.js';

/** Escaped HTML. */
export class Html {
  constructor(readonly text: string) {}
}

type Value = string | number | Html | readonly Value[] | undefined;

/** Template tag: escapes text and makes control characters visible; nested Html is inserted unchanged. */
export function html(strings: TemplateStringsArray, ...values: readonly Value[]): Html {
  return new Html(String.raw({ raw: strings }, ...values.map(htmlOf)));
}

function htmlOf(value: Value): string {
  if (value === undefined) return '';
  if (value instanceof Html) return value.text;
  if (typeof value === 'string' || typeof value === 'number') return escape(visible(String(value)));
  return value.map(htmlOf).join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? sign);
}

/** A table with a caption for screen readers. The first column has the row's name. */
export function table(caption: string, head: readonly string[], rows: readonly (readonly Value[])[]): Html {
  return html`<div class="wide" role="region" aria-label="${caption}" tabindex="0"><table>
<caption>${caption}</caption>
${head.some((title) => title !== '') ? headRow(head) : undefined}<tbody>${rows.map(
    ([first, ...rest]) =>
      html`<tr><th scope="row">${first}</th>${rest.map((cell) => html`<td>${cell}</td>`)}</tr>
`,
  )}</tbody></table></div>`;
}

function headRow(head: readonly string[]): Html {
  const cells = head.map((title) => (title === '' ? html`<td></td>` : html`<th scope="col">${title}</th>`));
  return html`<thead><tr>${cells}</tr></thead>
`;
}

/** A section of the page; `id` is its anchor. */
export function section(id: string, title: string, ...content: readonly Value[]): Html {
  return html`<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${title}</h2>
${content}
</section>
`;
}

/** Preformatted lines. */
export function lines(label: string, list: readonly string[]): Html {
  return html`<pre tabindex="0" role="region" aria-label="${label}">${list.map((line) => html`${line}\n`)}</pre>`;
}
