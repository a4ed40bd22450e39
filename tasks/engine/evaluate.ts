// SPDX-License-Identifier: MIT
/** Whether a task is fresh, and if not, why. `status`, the plan, and every task just before it runs use this. */
import { join } from 'node:path';
import { createFileIndex } from '../../lib/files/file-index.js';
import type { Processes } from '../../lib/process/process.js';
import { createToolVersions } from './tools.js';
import { ABSENT, createTreeIndex } from '../../lib/files/tree-index.js';
import type { TreeWatch } from '../../lib/files/tree-watch.js';
import type { Reason } from './events.js';
import { canonicalJson, differences, fingerprintOf, type Parts } from './fingerprint.js';
import { isWithin, overlaps } from './graph.js';
import { createTaskState, outputReasons, type TaskRecord, type TaskState } from './state.js';
import type { Task } from './task.js';

export interface Evaluation {
  readonly parts: Parts;
  readonly fingerprint: string;
  /** Empty when fresh. */
  readonly reasons: readonly Reason[];
  readonly record: TaskRecord | undefined;
}

export interface Evaluator {
  readonly state: TaskState;
  /**
   * `deps`: for each dependency what `resultOf` returned, undefined when it is stale. `unmade`: outputs of
   * stale tasks; inputs among them do not count, because they are not known yet.
   */
  evaluate(
    task: Task,
    deps: ReadonlyMap<string, string | undefined>,
    unmade: readonly string[],
  ): Promise<Evaluation>;
  /** A finished task's fingerprint for its dependents. With unknown inputs, that is the digest of its outputs. */
  resultOf(task: Task, fingerprint: string): string;
  /** Absolute paths of the files, also in trees, whose content changed, as far as known. */
  changed(was: Parts, is: Parts): Promise<readonly string[]>;
  /** Call it when a task has changed these paths. */
  forget(outputs: readonly string[]): void;
  /** Writes the caches; `prune` also forgets old states of trees where there are many. */
  save(options: { readonly prune: boolean }): Promise<void>;
}

interface EvaluatorOptions {
  readonly workdir: string;
  readonly processes: Processes;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly clock: { now(): number };
  readonly treeWatch?: TreeWatch | undefined;
}

/** Milliseconds for which a tree's digest is reused without looking, for tasks in quick succession. */
const DIGEST_AGE_MS = 2000;

export function createEvaluator({
  workdir,
  processes,
  env,
  signal,
  clock,
  treeWatch,
}: EvaluatorOptions): Evaluator {
  const place = join(workdir, 'state');
  const state = createTaskState(join(place, 'tasks'));
  const files = createFileIndex(join(place, 'files.json'));
  const tools = createToolVersions({ cacheFile: join(place, 'tools.json'), processes, env, signal });
  const trees = createTreeIndex({
    directory: join(place, 'trees'),
    processes,
    signal,
    watch: treeWatch,
  });
  const recent = new Map<string, { readonly at: number; readonly digest: Promise<string> }>();

  const treeDigest = (root: string): Promise<string> => {
    const known = recent.get(root);
    if (known !== undefined && clock.now() - known.at < DIGEST_AGE_MS) return known.digest;
    const digest = trees.digest(root);
    recent.set(root, { at: clock.now(), digest });
    return digest;
  };

  const partsOf = async (
    task: Task,
    deps: ReadonlyMap<string, string | undefined>,
    leftOut: (path: string) => boolean,
  ): Promise<Parts> => {
    const { inputs } = task;
    const roots = (inputs.trees ?? []).filter((root) => !leftOut(root));
    // Started first: these run in their own processes while the files are read here.
    const digests = roots.map((root) => treeDigest(root));
    const versions = (inputs.tools ?? []).map((tool) => tools.version(tool));
    const fileParts: Record<string, string> = {};
    const treeParts: Record<string, string> = {};
    const toolParts: Record<string, string> = {};
    const settled = Promise.all([...digests, ...versions]);
    settled.catch(() => {});
    for (const path of inputs.files ?? []) {
      if (!leftOut(path)) for (const [each, digest] of files.digests(path)) fileParts[each] = digest;
    }
    await settled;
    for (const [index, root] of roots.entries()) treeParts[root] = (await digests[index]) ?? ABSENT;
    for (const [index, tool] of (inputs.tools ?? []).entries())
      toolParts[tool] = (await versions[index]) ?? '';
    const valueParts: Record<string, string> = {};
    for (const [key, value] of Object.entries(inputs.values ?? {})) valueParts[key] = canonicalJson(value);
    const depParts: Record<string, string> = {};
    for (const [name, result] of deps) if (result !== undefined) depParts[name] = result;
    return { values: valueParts, files: fileParts, trees: treeParts, tools: toolParts, deps: depParts };
  };

  /** The paths that changed in each tree, where they are known. */
  const treeChanges = async (was: Parts, is: Parts) => {
    const changes = new Map<string, readonly string[] | undefined>();
    for (const [root, digest] of Object.entries(is.trees)) {
      const before = was.trees[root];
      if (before !== undefined && before !== digest)
        changes.set(root, await trees.changes(root, before, digest));
    }
    return changes;
  };

  return {
    state,
    async evaluate(task, deps, unmade) {
      const leftOut = (path: string) => unmade.some((output) => overlaps(path, output));
      const parts = await partsOf(task, deps, leftOut);
      const fingerprint = fingerprintOf(parts);
      const record = state.read(task.name);
      const reasons: Reason[] = [];
      if (task.always !== undefined) reasons.push({ kind: 'always', why: task.always });
      if (task.forced === true) reasons.push({ kind: 'forced' });
      if (record === undefined) reasons.push({ kind: 'never-run' });
      else if (record.state === 'unfinished') reasons.push({ kind: 'unfinished' });
      else {
        if (record.fingerprint !== fingerprint) {
          const was = comparable(record.parts, deps, inputsLeftOut(task, leftOut));
          const inTrees = await treeChanges(was, parts);
          reasons.push(...differences(was, parts, (root) => inTrees.get(root)));
        }
        reasons.push(...outputReasons(task.outputs, record.outputs));
      }
      for (const [name, result] of deps)
        if (result === undefined) reasons.push({ kind: 'dependency', task: name });
      return { parts, fingerprint, reasons, record };
    },
    resultOf(task, fingerprint) {
      if (task.result !== undefined) return task.result;
      if (task.always === undefined) return fingerprint;
      const made = Object.fromEntries(task.outputs.flatMap((output) => [...files.digests(output)]));
      return fingerprintOf({ values: {}, files: made, trees: {}, tools: {}, deps: {} });
    },
    async changed(was, is) {
      const differing = Object.keys(is.files).filter((path) => was.files[path] !== is.files[path]);
      for (const [root, paths] of await treeChanges(was, is))
        for (const path of paths ?? []) differing.push(join(root, path));
      return differing;
    },
    forget(outputs) {
      for (const root of recent.keys()) {
        if (outputs.some((output) => overlaps(root, output))) recent.delete(root);
      }
    },
    async save({ prune }) {
      await Promise.all([files.save(), tools.save()]);
      if (prune) await trees.prune();
    },
  };
}

function inputsLeftOut(task: Task, leftOut: (path: string) => boolean): string[] {
  return [...(task.inputs.files ?? []), ...(task.inputs.trees ?? [])].filter(leftOut);
}

/** The recorded parts without those that are unknown now. */
function comparable(
  parts: Parts,
  deps: ReadonlyMap<string, string | undefined>,
  unknown: readonly string[],
): Parts {
  const known = (entries: Readonly<Record<string, string>>) =>
    Object.fromEntries(
      Object.entries(entries).filter(([path]) => !unknown.some((input) => isWithin(path, input))),
    );
  const knownDeps = Object.entries(parts.deps).filter(
    ([name]) => !(deps.has(name) && deps.get(name) === undefined),
  );
  return {
    ...parts,
    files: known(parts.files),
    trees: known(parts.trees),
    deps: Object.fromEntries(knownDeps),
  };
}
