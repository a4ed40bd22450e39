// SPDX-License-Identifier: MIT
/** Lists every setting of the schema, with its path, its environment variable, and a description of its values. */
import { z } from 'zod';
import { configSchema } from './schema.js';
import { ENVIRONMENT_PREFIX } from '../../lib/product.js';

/** How a setting is written in an environment variable. */
type LeafKind = 'string' | 'number' | 'boolean' | 'list' | 'json';

/** One setting. A list is one setting. */
export interface Leaf {
  /** 'vm.memoryMiB' */
  readonly path: string;
  /** 'STOPWATCH_VM_MEMORY_MIB' */
  readonly variable: string;
  readonly kind: LeafKind;
  readonly nullable: boolean;
}

/** 'vm.memoryMiB' → 'STOPWATCH_VM_MEMORY_MIB'; a unit such as MiB is one word. */
export function variableOf(path: string): string {
  const words = path
    .replace(/([KMGT])iB/g, '$1ib')
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll('.', '_');
  return `${ENVIRONMENT_PREFIX}${words.toUpperCase()}`;
}

/** Every setting of the schema, in its order. */
export function leaves(): Leaf[] {
  return walk(configSchema, []);
}

function walk(schema: unknown, path: readonly string[]): Leaf[] {
  if (schema instanceof z.ZodObject) {
    return Object.entries(schema.shape).flatMap(([key, value]) => walk(value, [...path, key]));
  }
  const nullable = schema instanceof z.ZodNullable;
  const name = path.join('.');
  return [
    { path: name, variable: variableOf(name), kind: kindOf(nullable ? schema.unwrap() : schema), nullable },
  ];
}

function kindOf(schema: unknown): LeafKind {
  if (schema instanceof z.ZodNumber) return 'number';
  if (schema instanceof z.ZodBoolean) return 'boolean';
  if (schema instanceof z.ZodString || schema instanceof z.ZodEnum) return 'string';
  if (schema instanceof z.ZodArray) return schema.element instanceof z.ZodString ? 'list' : 'json';
  return 'json';
}

/** The part of the schema at a path, looking through null, lists and alternatives; undefined where there is none. */
export function schemaAt(path: readonly PropertyKey[], from: unknown = configSchema): unknown {
  let schema = from;
  for (const key of path) {
    if (schema instanceof z.ZodNullable || schema instanceof z.ZodOptional) schema = schema.unwrap();
    if (schema instanceof z.ZodUnion) schema = schema.options.find((option) => has(option, key));
    if (schema instanceof z.ZodObject) schema = Reflect.get(schema.shape, key);
    else if (schema instanceof z.ZodArray) schema = schema.element;
    else if (schema instanceof z.ZodRecord) schema = schema.valueType;
    else return undefined;
  }
  return schema instanceof z.ZodOptional ? schema.unwrap() : schema;
}

function has(schema: unknown, key: PropertyKey): boolean {
  return schema instanceof z.ZodObject && key in schema.shape;
}

/** The names of the settings and groups at a path; empty where the schema has no fixed names. */
export function keysAt(path: readonly PropertyKey[]): string[] {
  const schema = schemaAt(path);
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

/** Describes what a part of the schema accepts: 'an integer from 1 to 8'. */
export function expected(schema: unknown): string {
  if (schema instanceof z.ZodNullable) return `${expected(schema.unwrap())} or null`;
  if (schema instanceof z.ZodOptional) return `${expected(schema.unwrap())} (or nothing)`;
  if (schema instanceof z.ZodNumber) return expectedNumber(schema);
  if (schema instanceof z.ZodBoolean) return 'true or false';
  if (schema instanceof z.ZodEnum) return `one of ${schema.options.join(', ')}`;
  if (schema instanceof z.ZodURL) return 'an http or https address';
  if (schema instanceof z.ZodString) return expectedString(schema);
  if (schema instanceof z.ZodArray) return `a list, each ${expected(schema.element)}`;
  if (schema instanceof z.ZodRecord) return `names, each with ${expected(schema.valueType)}`;
  if (schema instanceof z.ZodObject) return `an object with ${Object.keys(schema.shape).join(', ')}`;
  if (schema instanceof z.ZodUnion) return schema.options.map((option) => expected(option)).join(', or ');
  return 'something else';
}

function expectedNumber(schema: z.ZodNumber): string {
  const noun = schema.isInt ? 'an integer' : 'a number';
  const least = schema.minValue ?? Number.NEGATIVE_INFINITY;
  const most = schema.maxValue ?? Number.POSITIVE_INFINITY;
  if (most < Number.MAX_SAFE_INTEGER) return `${noun} from ${least} to ${most}`;
  if (least <= Number.MIN_SAFE_INTEGER) return noun;
  if (schema.safeParse(least).success) return `${noun}, ${least} or more`;
  return `${noun} above ${least}`;
}

function expectedString(schema: z.ZodString): string {
  // The schema says in its own words what a pattern or a prefix wants: 'expected a version such as 10.0.2'.
  const message = schema.safeParse('\0').error?.issues[0]?.message ?? '';
  const [, text] = /^expected (.*)$/.exec(message) ?? [];
  if (text !== undefined) return text;
  return schema.safeParse('').success ? 'a string' : 'a string that is not empty';
}
