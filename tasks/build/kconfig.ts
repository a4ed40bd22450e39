// SPDX-License-Identifier: MIT
/** Configuration fragments of Kconfig: reading them, changing one symbol, checking what became of them. Pure. */

const SET = /^(CONFIG_\w+)=(.*)$/;
const UNSET = /^# (CONFIG_\w+) is not set$/;

/** Symbol → value as Kconfig writes it ('y', 'm', '"text"', '42'), 'n' for one that is not set. */
export function parseKconfig(text: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const set = SET.exec(line);
    const unset = UNSET.exec(line);
    if (set?.[1] !== undefined && set[2] !== undefined) values.set(set[1], set[2]);
    else if (unset?.[1] !== undefined) values.set(unset[1], 'n');
  }
  return values;
}

/** The fragment with these symbols set otherwise, as Kconfig writes them. */
export function withSymbols(fragment: string, symbols: Readonly<Record<string, string>>): string {
  const values = parseKconfig(fragment);
  for (const [symbol, value] of Object.entries(symbols)) values.set(symbol, value);
  return [...values]
    .map(([symbol, value]) => (value === 'n' ? `# ${symbol} is not set\n` : `${symbol}=${value}\n`))
    .join('');
}

export interface Refused {
  readonly symbol: string;
  readonly wanted: string;
  /** 'n' when the symbol is not there at all. */
  readonly got: string;
}

/** What was asked for and is otherwise in the final configuration: Kconfig drops what lacks a dependency without a word. */
export function refused(fragment: string, final: string): Refused[] {
  const got = parseKconfig(final);
  return [...parseKconfig(fragment)]
    .map(([symbol, wanted]) => ({ symbol, wanted, got: got.get(symbol) ?? 'n' }))
    .filter(({ wanted, got: value }) => wanted !== value);
}
