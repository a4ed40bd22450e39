// SPDX-License-Identifier: MIT
/** Finds out whether a task is fresh, and if not, why: for `status`, for the plan, and again just before a task runs. */
import { join } from 'node:path';
import { isDirectory } from '../../lib/directory.js';
import { createFileIndex } from '../../lib/files/file-index.js';
import { markDirectory } from '../../lib/files/work-mark.js';
import type { Processes } from '../../lib/process/process.js';
import { createToolVersions } from './tools.js';
import { createTreeIndex } from '../../lib/files/tree-index.js';
import type { TreeWatch } from '../../lib/files/tree-watch.js';
import type { Reason } from './events.js';
import { canonicalJson, differences, fingerprintOf, type Parts } from './fingerprint.js';
import { isWithin, overlaps } from './graph.js';
import { createTaskState, outputReasons, type TaskRecord, type TaskState } from './state.js';
import type { Task } from './task.js';

interface Evaluation {
  readonly parts: Parts;
  readonly fingerprint: string;
  /** Its part in the fingerprints of its dependents, once it is fresh. */
  readonly result: string;
  /** Empty when fresh. */
  readonly reasons: readonly Reason[];
  readonly record: TaskRecord | undefined;
}

export interface Evaluator {
  readonly state: TaskState;
  /**
   * `deps`: the result of each dependency, undefined when it is stale. `unmade`: outputs of stale tasks; inputs among
   * them do not count, because they are not known yet.
   */
  evaluate(
    task: Task,
    deps: ReadonlyMap<string, string | undefined>,
    unmade: readonly string[],
  ): Promise<Evaluation>;
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
  readonly treeWatch?: TreeWatch | undefined;
}

/** Milliseconds for which a tree's digest is reused without looking, for tasks in quick succession. */
const DIGEST_AGE_MS = 2000;

export function createEvaluator({ workdir, processes, env, signal, treeWatch }: EvaluatorOptions): Evaluator {
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

  const treeDigest = async (root: string): Promise<string> => {
    const known = recent.get(root);
    if (known !== undefined && performance.now() - known.at < DIGEST_AGE_MS) return known.digest;
    // The index makes the work directory: unmarked, the next run would refuse it.
    if (isDirectory(root)) markDirectory(workdir);
    const digest = trees.digest(root);
    recent.set(root, { at: performance.now(), digest });
    return digest;
  };

  const fileDigests = async (paths: readonly string[]) =>
    Object.fromEntries(paths.flatMap((path) => [...files.digests(path)]));

  const partsOf = async (
    { inputs }: Task,
    deps: ReadonlyMap<string, string | undefined>,
    isUnmade: (path: string) => boolean,
  ): Promise<Parts> => {
    const known = (paths: readonly string[] = []) => paths.filter((path) => !isUnmade(path));
    // The trees and tools first: processes read them while the files are read here.
    const [treeParts, toolParts, fileParts] = await Promise.all([
      answers(known(inputs.trees), treeDigest),
      answers(inputs.tools ?? [], async (tool) => tools.version(tool)),
      fileDigests(known(inputs.files)),
    ]);
    const values = Object.entries(inputs.values ?? {}).map(
      ([key, value]) => [key, canonicalJson(value)] as const,
    );
    const results = [...deps].flatMap(([name, result]) =>
      result === undefined ? [] : [[name, result] as const],
    );
    return {
      values: Object.fromEntries(values),
      files: fileParts,
      trees: treeParts,
      tools: toolParts,
      deps: Object.fromEntries(results),
    };
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
      const isUnmade = (path: string) => unmade.some((output) => overlaps(path, output));
      const parts = await partsOf(task, deps, isUnmade);
      const fingerprint = fingerprintOf(parts);
      const record = state.read(task.name);
      const reasons: Reason[] = [];
      if (task.always !== undefined) reasons.push({ kind: 'always', why: task.always });
      if (task.forced === true) reasons.push({ kind: 'forced' });
      if (record === undefined) reasons.push({ kind: 'never-run' });
      else if (record.state === 'unfinished') reasons.push({ kind: 'unfinished' });
      else {
        if (record.fingerprint !== fingerprint) {
          const was = comparable(record.parts, deps, unmadeInputs(task, isUnmade));
          const inTrees = await treeChanges(was, parts);
          reasons.push(...differences(was, parts, (root) => inTrees.get(root)));
        }
        reasons.push(...outputReasons(task.outputs, record.outputs));
      }
      for (const [name, result] of deps)
        if (result === undefined) reasons.push({ kind: 'dependency', task: name });
      return { parts, fingerprint, result: task.result ?? fingerprint, reasons, record };
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

/** Asks for all names concurrently. */
async function answers(names: readonly string[], ask: (name: string) => Promise<string>) {
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await ask(name)] as const)));
}

function unmadeInputs({ inputs }: Task, isUnmade: (path: string) => boolean): string[] {
  return [...(inputs.files ?? []), ...(inputs.trees ?? [])].filter(isUnmade);
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
