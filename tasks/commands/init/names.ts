// SPDX-License-Identifier: MIT
/** The one name that a device goes by, in every spelling; and which names will not do. Pure. */
import { StopwatchError } from '../../../lib/errors.js';
import { TAKEN_NAMES } from './taken-names.js';

/** What the package's own device is called. */
const OWN = 'stopwatch';
/** "SWCH": what its ID register says. */
const OWN_MAGIC = 'SWCH';

const KEYWORDS = new Set(
  (
    'auto break case char const continue default do double else enum extern float for goto if inline int long ' +
    'register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while ' +
    'asm bool true false typeof class delete export function import in instanceof let new null super this throw ' +
    'try catch finally var with yield await async done elif esac fi then until select'
  ).split(' '),
);
/** What QEMU's own trace events begin with, and what becomes of the root file system. */
const OTHERS = new Set(['gic', 'gicv3', 'memory', 'busybox', 'poweroff', 'reboot', 'halt']);

/** `sources`: text of the C and shell that is to be renamed. Throws 'bad-usage' that says what is wrong with the name. */
export function checkName(name: string, sources: readonly string[]): void {
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
  if (KEYWORDS.has(name)) refuse('it is a keyword of C, of the shell or of TypeScript');
  if (TAKEN_NAMES.has(name) || OTHERS.has(name)) refuse('QEMU or Linux has something of that name already');
  if (name === OWN) return;
  const word = new RegExp(`(?<![a-z0-9])${name}(?:_\\w+)?\\b`, 'i');
  for (const source of sources) {
    const found = word.exec(withoutComments(source).replaceAll(new RegExp(`\\w*${OWN}\\w*`, 'gi'), ''));
    if (found !== null) refuse(`its sources use \`${found[0]}\` for something else`);
  }
}

/** Of C, and of the shell. */
function withoutComments(source: string): string {
  return source.replaceAll(/\/\*[^]*?\*\/|^\s*#(?!\s*(?:define|if|include|end)).*$/gm, '');
}

/** `my_device`: MyDevice. */
function capitalised(name: string): string {
  return name.replaceAll(/(?:^|_)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** Four letters for the ID register. */
export function magicOf(name: string): string {
  return name === OWN ? OWN_MAGIC : name.toUpperCase().replaceAll('_', '').padEnd(4, 'X').slice(0, 4);
}

const codesOf = (letters: string): string => Buffer.from(letters, 'latin1').toString('hex');

/** The text, or the path, with the device's name in the place of the package's own device's. */
export function renamed(text: string, name: string): string {
  const camel = capitalised(name);
  const spellings: Readonly<Record<string, string>> = {
    stopwatch: name,
    STOPWATCH: name.toUpperCase(),
    Stopwatch: camel,
  };
  return (
    text
      // stopwatchJudge: an identifier of TypeScript.
      .replaceAll(/stopwatch(?=[A-Z])/g, `${camel.charAt(0).toLowerCase()}${camel.slice(1)}`)
      .replaceAll(/stopwatch/gi, (word) => spellings[word] ?? name)
      .replaceAll(OWN_MAGIC, magicOf(name))
      .replaceAll(codesOf(OWN_MAGIC), codesOf(magicOf(name)))
  );
}

/** The name that a directory suggests. */
export function nameOf(directory: string): string {
  return directory.toLowerCase().replaceAll(/[-. ]+/g, '_');
}
