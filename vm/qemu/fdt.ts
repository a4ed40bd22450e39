// SPDX-License-Identifier: MIT
/**
 * Reads a flattened device tree (Devicetree Specification 0.4, chapter 5):
 * big-endian, a header, then a structure block of 32-bit tokens and a block of
 * property names. Pure.
 */

export interface DeviceTreeNode {
  /** With its unit address; empty for the root. */
  readonly name: string;
  readonly properties: ReadonlyMap<string, Uint8Array>;
  readonly children: readonly DeviceTreeNode[];
}

const MAGIC = 0xd00dfeed;
const BEGIN_NODE = 1;
const END_NODE = 2;
const PROP = 3;
const NOP = 4;
const END = 9;
/** Trees made by machines are not deeper than this; one that is, is broken. */
const MAX_DEPTH = 64;

/** Throws Error with what is wrong and where; offsets are from the file's start. */
export function readFdt(bytes: Uint8Array): DeviceTreeNode {
  return new Reader(bytes).tree();
}

class Reader {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  #strings = 0;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  tree(): DeviceTreeNode {
    const magic = this.#u32(0);
    if (magic !== MAGIC) {
      throw new Error(
        `Not a flattened device tree: it begins with 0x${magic.toString(16)}, expected 0xd00dfeed`,
      );
    }
    const size = this.#u32(4);
    if (size > this.#bytes.length) {
      throw new Error(`The device tree is cut off: it says ${size} bytes, and has ${this.#bytes.length}`);
    }
    this.#at = this.#u32(8);
    this.#strings = this.#u32(12);
    let token = this.#next();
    while (token === NOP) token = this.#next();
    if (token !== BEGIN_NODE) throw this.#unexpected(token, 'a node');
    const root = this.#node(0);
    token = this.#next();
    while (token === NOP) token = this.#next();
    if (token !== END) throw this.#unexpected(token, 'the end');
    return root;
  }

  /** After its BEGIN_NODE token. */
  #node(depth: number): DeviceTreeNode {
    if (depth > MAX_DEPTH) throw new Error(`The device tree is deeper than ${MAX_DEPTH} nodes`);
    const name = this.#string(this.#at);
    this.#at = align(this.#at + name.length + 1);
    const properties = new Map<string, Uint8Array>();
    const children: DeviceTreeNode[] = [];
    for (;;) {
      const token = this.#next();
      if (token === PROP) {
        const length = this.#next();
        const key = this.#string(this.#strings + this.#next());
        if (this.#at + length > this.#bytes.length) throw this.#cutOff();
        properties.set(key, this.#bytes.subarray(this.#at, this.#at + length));
        this.#at = align(this.#at + length);
      } else if (token === BEGIN_NODE) {
        children.push(this.#node(depth + 1));
      } else if (token === END_NODE) {
        return { name, properties, children };
      } else if (token !== NOP) {
        throw this.#unexpected(token, 'a property, a node or its end');
      }
    }
  }

  #next(): number {
    const value = this.#u32(this.#at);
    this.#at += 4;
    return value;
  }

  #u32(offset: number): number {
    if (offset + 4 > this.#bytes.length) throw this.#cutOff();
    return this.#view.getUint32(offset);
  }

  /** Names are ASCII. */
  #string(offset: number): string {
    const end = this.#bytes.indexOf(0, offset);
    if (offset >= this.#bytes.length || end < 0) throw this.#cutOff();
    return Buffer.from(this.#bytes.subarray(offset, end)).toString('latin1');
  }

  #cutOff(): Error {
    return new Error(`The device tree is cut off at byte ${this.#bytes.length}`);
  }

  #unexpected(token: number, expected: string): Error {
    return new Error(`Bad device tree: token ${token} at byte ${this.#at - 4}, expected ${expected}`);
  }
}

function align(offset: number): number {
  return (offset + 3) & ~3;
}

/** The property's cells of 32 bits, or undefined if it is not there or no such list. */
export function cells(node: DeviceTreeNode, property: string): readonly number[] | undefined {
  const bytes = node.properties.get(property);
  if (bytes === undefined || bytes.length % 4 !== 0) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 4 }, (_, index) => view.getUint32(index * 4));
}

/** The property's NUL-terminated strings; empty if it is not there. */
export function strings(node: DeviceTreeNode, property: string): readonly string[] {
  const bytes = node.properties.get(property);
  if (bytes === undefined || bytes.length === 0) return [];
  return Buffer.from(bytes).toString('utf8').replace(/\0$/, '').split('\0');
}

const PRINTABLE = /^(?:[\x20-\x7e]+\0)+$/;

function dtsValue(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('latin1');
  if (PRINTABLE.test(text)) {
    return text
      .slice(0, -1)
      .split('\0')
      .map((part) => `"${part.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`)
      .join(', ');
  }
  if (bytes.length % 4 === 0) {
    const words = text.length === 0 ? [] : (Buffer.from(bytes).toString('hex').match(/.{8}/g) ?? []);
    return `<${words.map((word) => `0x${word.replace(/^0{1,7}/, '')}`).join(' ')}>`;
  }
  return `[${Buffer.from(bytes).toString('hex').match(/../g)?.join(' ') ?? ''}]`;
}

/** The node and all below it as device-tree source; the root's name is written as `/`. */
export function toDts(node: DeviceTreeNode, indent = ''): string {
  const inner = `${indent}\t`;
  const properties = [...node.properties].map(([name, bytes]) =>
    bytes.length === 0 ? `${inner}${name};` : `${inner}${name} = ${dtsValue(bytes)};`,
  );
  const children = node.children.map((child) => toDts(child, inner));
  const body = [...properties, ...children].join('\n');
  return `${indent}${node.name === '' ? '/' : node.name} {\n${body}${body === '' ? '' : '\n'}${indent}};`;
}
