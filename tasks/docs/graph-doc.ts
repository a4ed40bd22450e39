// SPDX-License-Identifier: MIT
/** The task graph as a picture, for docs/design.md. */
import defaults from '../../config.js';
import { loadDevices } from '../cli/devices.js';
import { findPaths } from '../config/paths.js';
import type { Task } from '../engine/task.js';
import { createProcesses } from '../../lib/process/process.js';
import { buildTasks, bootTargets } from '../build/graph.js';

const paths = findPaths('.', undefined);
const devices = await loadDevices(defaults.devices, paths);

/** The tasks of the default configuration; nothing of them is run. */
function allTasks(): Task[] {
  // Only which tasks there are is looked at, and that does not depend on the host.
  const ports = { processes: createProcesses(), environment: {} };
  return buildTasks(defaults, paths, devices, ports);
}

const id = (name: string): string => name.replaceAll(/\W/g, '_');

/** Sections of docs/design.md by the names of their markers. */
export function designDoc(): Readonly<Record<string, string>> {
  const tasks = [...allTasks(), { name: 'vm:test', deps: bootTargets(defaults) }];
  const lines = tasks.map(({ name, deps }) =>
    [`    ${id(name)}["${name}"]`, deps.map((dep) => `    ${id(dep)} --> ${id(name)}`)].flat().join('\n'),
  );
  return { tasks: ['```mermaid', 'flowchart LR', ...lines, '```'].join('\n') };
}
