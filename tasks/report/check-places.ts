// SPDX-License-Identifier: MIT
/** The places of failed checks in the guest's test, found by the words that they print. Pure. */

export interface FailedCheck {
  /** Name of the test that it belongs to. */
  readonly test: string;
  readonly message: string;
  /** From 1; undefined when the test is not in the script. */
  readonly line: number | undefined;
}

/** `WHAT: expected …`, as the checks of the guest's test write it. */
const CHECK = /^(?<what>.+?): expected /;

/**
 * `lines`: what failed tests printed, each test's lines ending with `not ok NAME`. A check is at the line of the script
 * that names it in quotes, in the test's function if it is there; a test without such a line is at its function.
 */
export function failedChecks(lines: readonly string[], script: string): readonly FailedCheck[] {
  const source = script.split('\n');
  const checks: FailedCheck[] = [];
  let printed: string[] = [];
  for (const text of lines) {
    const test = /^not ok (?:\d+ (?:- )?)?(?<name>.*\S)/.exec(text)?.groups?.['name'];
    if (test === undefined) {
      printed.push(text);
      continue;
    }
    const [from, to] = functionOf(source, `test_${test}`);
    const found = printed.flatMap((message) => {
      const what = CHECK.exec(message)?.groups?.['what'];
      const line = what === undefined ? undefined : lineNaming(source, what, from, to);
      return line === undefined ? [] : [{ test, message, line }];
    });
    const whole = { test, message: [`${test} failed`, ...printed].join('\n'), line: from };
    checks.push(...(found.length > 0 ? found : [whole]));
    printed = [];
  }
  return checks;
}

/** First and last line of a shell function, from 1. */
function functionOf(source: readonly string[], name: string): [number | undefined, number | undefined] {
  const from = source.findIndex((text) => text.startsWith(`${name}() {`));
  if (from < 0) return [undefined, undefined];
  const length = source.slice(from).findIndex((text) => text.startsWith('}'));
  return [from + 1, length < 0 ? undefined : from + 1 + length];
}

/** In the function if it stands there, for the same words may name checks of several tests. */
function lineNaming(
  source: readonly string[],
  what: string,
  from: number | undefined,
  to: number | undefined,
): number | undefined {
  const names = (text: string) => text.includes(`'${what}'`) || text.includes(`"${what}"`);
  const lines = source.flatMap((text, index) => (names(text) ? [index + 1] : []));
  const inside = lines.find((line) => from !== undefined && to !== undefined && line >= from && line <= to);
  return inside ?? lines[0];
}
