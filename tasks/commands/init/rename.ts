// SPDX-License-Identifier: MIT
/** The one name of a device, in every spelling. Pure. */
import { StopwatchError } from '../../../lib/errors.js';

/** What the ID register of the package's own device says. */
const OWN_MAGIC = 'SWCH';

/** `sources`: the C and shell code of the device `from`. Throws 'bad-usage' when it uses the name for something else. */
export function checkName(name: string, from: string, sources: readonly string[]): void {
  const refuse = (why: string): never => {
    throw new StopwatchError('bad-usage', `A device cannot be called ${JSON.stringify(name)}: ${why}`, {
      hint: 'Give another one: npx stopwatch init DIR --name frobnicator',
    });
  };
  if (!/^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/.test(name) || name.length < 2 || name.length > 24) {
    refuse(
      'expected 2 to 24 lower-case letters, digits and single underscores, a letter first: it becomes a C identifier',
    );
  }
  if (name === from) return;
  const word = new RegExp(`(?<![a-z0-9])${name}(?:_\\w+)?\\b`, 'i');
  for (const source of sources) {
    const code = source.replaceAll(/\/\*[^]*?\*\/|^\s*#(?!\s*(?:define|if|include|end)).*$/gm, '');
    const found = word.exec(code.replaceAll(new RegExp(`\\w*${from}\\w*`, 'gi'), ''));
    if (found !== null) refuse(`its sources use \`${found[0]}\` for something else`);
  }
}

/** Four letters for the ID register. */
export function magicOf(name: string): string {
  return name.toUpperCase().replaceAll('_', '').padEnd(4, 'X').slice(0, 4);
}

const codesOf = (letters: string): string => Buffer.from(letters, 'latin1').toString('hex');

/** A text or a path of the device `from`, under the other device's name. */
export function renamed(text: string, from: string, name: string): string {
  if (name === from) return text;
  const pascal = pascalOf(name);
  const spellings: Readonly<Record<string, string>> = {
    [from]: name,
    [from.toUpperCase()]: name.toUpperCase(),
    [pascalOf(from)]: pascal,
  };
  return (
    text
      // stopwatchDescription: an identifier of TypeScript.
      .replaceAll(new RegExp(`${from}(?=[A-Z])`, 'g'), `${pascal.charAt(0).toLowerCase()}${pascal.slice(1)}`)
      // What the guest has from the tool keeps its name.
      .replaceAll(new RegExp(`(?<!/usr/lib/)${from}`, 'gi'), (word) => spellings[word] ?? name)
      .replaceAll(OWN_MAGIC, magicOf(name))
      .replaceAll(codesOf(OWN_MAGIC), codesOf(magicOf(name)))
  );
}

/** What the bare name in C code is not: a text, a comment, a file. */
const NOT_BARE = String.raw`"(?:[^"\\]|\\.)*"|/\*[^]*?\*/|//.*|^#include.*`;

/**
 * C code with NAME_dev for the bare NAME: the kernel may have a macro or a type of that name (`current`, `inode`), and C a
 * keyword. With something behind it, as in NAME_read, it is neither. ATTRIBUTE_GROUPS pastes names together. Likewise
 * NAME_DEV and TYPE_NAME_DEV: QEMU has macros `ABS` and `CLAMP`.
 */
export function withoutBareName(code: string, name: string): string {
  const upper = name.toUpperCase();
  const bare = `\\b(?:${name}(?=(?:_attrs|_groups?)?\\b)|(?:TYPE_)?${upper}\\b)`;
  return code.replaceAll(new RegExp(`${NOT_BARE}|${bare}`, 'gm'), (found) => {
    if (found === name) return `${name}_dev`;
    return found === upper || found === `TYPE_${upper}` ? `${found}_DEV` : found;
  });
}

function pascalOf(name: string): string {
  return name.replaceAll(/(?:^|_)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** The name that a directory suggests. */
export function nameOf(directory: string): string {
  return directory.toLowerCase().replaceAll(/[-. ]+/g, '_');
}
