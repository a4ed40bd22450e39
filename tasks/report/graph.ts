// SPDX-License-Identifier: MIT
/** The task graph as text, for Graphviz (DOT) and for Mermaid. Pure. */
import type { TaskStatus } from '../engine/events.js';
import { duration, type Paint } from './format.js';

export interface GraphReport {
  /** In execution order. */
  readonly tasks: readonly TaskStatus[];
  /** The longest chain by last durations, in order. */
  readonly critical: readonly string[];
}

/** One line per task: a star on the critical path, its state, how long it took, and its dependencies. */
export function graphText({ tasks, critical }: GraphReport, paint: Paint): string {
  const width = Math.max(0, ...tasks.map(({ name }) => name.length));
  const times = tasks.map(timeOf);
  const timeWidth = Math.max(0, ...times.map((time) => time.length));
  const lines = tasks.map(({ name, fresh, deps }, at) => {
    const mark = critical.includes(name) ? paint('bold', '*') : ' ';
    const state = fresh ? paint('green', 'fresh') : paint('yellow', 'stale');
    const after = deps.length === 0 ? '' : `  after ${deps.join(', ')}`;
    return `${mark} ${name.padEnd(width)}  ${state}  ${(times[at] ?? '').padStart(timeWidth)}${after}`;
  });
  const chain = critical.flatMap((name) => tasks.find((task) => task.name === name) ?? []);
  lines.push('', `Critical path (*), ${sum(chain)} of ${sum(tasks)}: ${critical.join(' → ')}`);
  return lines.map((line) => `${line.trimEnd()}\n`).join('');
}

/** For `dot -Tsvg`. */
export function graphDot({ tasks, critical }: GraphReport): string {
  const nodes = tasks.map((task) => {
    const colour = task.fresh ? 'palegreen' : 'khaki';
    const pen = critical.includes(task.name) ? 3 : 1;
    return `  "${task.name}" [label="${task.name}\\n${timeOf(task)}", fillcolor=${colour}, penwidth=${pen}];`;
  });
  const edges = edgesOf(tasks, critical).map(
    ({ from, to, isCritical }) => `  "${from}" -> "${to}"${isCritical ? ' [penwidth=3]' : ''};`,
  );
  const head = ['digraph stopwatch {', '  rankdir=LR;', '  node [shape=box, style=filled];'];
  return [...head, ...nodes, ...edges, '}', ''].join('\n');
}

/** For Markdown: a ```mermaid block without its fences. */
export function graphMermaid({ tasks, critical }: GraphReport): string {
  const nodes = tasks.map((task) => {
    const state = task.fresh ? 'fresh' : 'stale';
    return `    ${id(task.name)}["${task.name}<br/>${timeOf(task)}"]:::${state}`;
  });
  const edges = edgesOf(tasks, critical).map(
    ({ from, to, isCritical }) => `    ${id(from)} ${isCritical ? '==>' : '-->'} ${id(to)}`,
  );
  const styles = ['    classDef fresh fill:#c8f0c8,color:#000', '    classDef stale fill:#f0e0a0,color:#000'];
  return ['flowchart LR', ...nodes, ...edges, ...styles, ''].join('\n');
}

function id(name: string): string {
  return name.replaceAll(/\W/g, '_');
}

function sum(tasks: readonly TaskStatus[]): string {
  return duration(tasks.reduce((total, { lastDurationMs }) => total + (lastDurationMs ?? 0), 0));
}

function timeOf({ lastDurationMs }: TaskStatus): string {
  return lastDurationMs === undefined ? 'never ran' : duration(lastDurationMs);
}

function edgesOf(tasks: readonly TaskStatus[], critical: readonly string[]) {
  return tasks.flatMap(({ name: to, deps }) =>
    deps.map((from) => {
      const at = critical.indexOf(from);
      return { from, to, isCritical: at >= 0 && critical[at + 1] === to };
    }),
  );
}
