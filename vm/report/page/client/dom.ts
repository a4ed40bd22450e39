// SPDX-License-Identifier: MIT
/** Creates elements; text is never parsed as HTML. */

export function element(
  name: string,
  { className = '', ...attributes }: Readonly<Record<string, string>> = {},
  ...content: readonly (Node | string)[]
): HTMLElement {
  const made = document.createElement(name);
  if (className !== '') made.className = className;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...content);
  return made;
}

/** The element with this id and class, or undefined. */
export function find<E extends HTMLElement>(id: string, kind: new () => E): E | undefined {
  const found = document.getElementById(id);
  return found instanceof kind ? found : undefined;
}
