// SPDX-License-Identifier: MIT
/** GitHub's expressions, evaluated by GitHub's own library, in the contexts and with the functions that a step has. */
import { data, Evaluator, Lexer, Parser } from '@actions/expressions';

/** What a step knows: the inputs of the action and the outputs of the steps before. */
export interface Contexts {
  readonly inputs: Readonly<Record<string, string>>;
  readonly steps: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** A step before has failed. */
  readonly failed: boolean;
}

/** Functions of the runner, which the library does not know. */
const STATUS = ['always', 'success', 'failure', 'cancelled'];

/** Text with `${{ … }}` in it. Throws for an expression that GitHub would refuse. */
export function interpolated(text: string, contexts: Contexts): string {
  return text.replaceAll(/\$\{\{(.*?)\}\}/gs, (_, expression: string) =>
    evaluated(expression, contexts).coerceString(),
  );
}

/** A step's `if`: without a function of the status in it, no step before may have failed. */
export function condition(expression: string | undefined, contexts: Contexts): boolean {
  const asked = expression ?? 'success()';
  const status = STATUS.some((name) => asked.includes(`${name}(`));
  return truthy(evaluated(status ? asked : `success() && (${asked})`, contexts));
}

function evaluated(expression: string, contexts: Contexts): data.ExpressionData {
  const status: Record<string, boolean> = {
    always: true,
    cancelled: false,
    success: !contexts.failed,
    failure: contexts.failed,
  };
  const functions = STATUS.map((name) => ({
    name,
    minArgs: 0,
    maxArgs: 0,
    call: () => new data.BooleanData(status[name] === true),
  }));
  const { tokens } = new Lexer(expression.trim()).lex();
  const parsed = new Parser(tokens, ['inputs', 'steps'], functions).parse();
  const steps = Object.entries(contexts.steps).map(([id, outputs]) => ({
    key: id,
    value: new data.Dictionary({ key: 'outputs', value: dictionary(outputs) }),
  }));
  const all = new data.Dictionary(
    { key: 'inputs', value: dictionary(contexts.inputs) },
    { key: 'steps', value: new data.Dictionary(...steps) },
  );
  return new Evaluator(parsed, all, new Map(functions.map((each) => [each.name, each]))).evaluate();
}

function dictionary(values: Readonly<Record<string, string>>): data.Dictionary {
  return new data.Dictionary(
    ...Object.entries(values).map(([key, value]) => ({ key, value: new data.StringData(value) })),
  );
}

/** As the documentation of expressions has it: false, 0, -0, '' and null are not. */
function truthy(value: data.ExpressionData): boolean {
  switch (value.kind) {
    case data.Kind.Null:
      return false;
    case data.Kind.String:
      return value.coerceString() !== '';
    case data.Kind.Boolean:
    case data.Kind.Number:
      return value.number() !== 0;
    case data.Kind.Array:
    case data.Kind.Dictionary:
      return true;
    default:
      throw new Error('Internal error: a value of no known kind');
  }
}
