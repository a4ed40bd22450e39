// SPDX-License-Identifier: MIT
/** The commits of a tree, from its base to HEAD, and how they and patch files become a new chain without touching the work tree. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { StopwatchError } from '../../lib/errors.js';
import { shellQuote } from '../../lib/process/process.js';
import { changesOf, withChanges } from './changes.js';
import {
  BASE_COMMITTER,
  changing,
  EMAIL,
  git,
  type GitDeps,
  gitScript,
  ours,
  type Repository,
  tryGit,
} from './git.js';

export interface Commit {
  readonly id: string;
  readonly tree: string;
  readonly parent: string;
  readonly subject: string;
  /** sha256 of the patch file that this commit was made from; undefined: it was made by hand. */
  readonly patch: string | undefined;
}

export interface PatchFile {
  readonly file: string;
  readonly sha256: string;
}

/** Subject of commits that hold what was not committed when commits had to move. */
const SAVED = 'Changes by hand, not committed';

export const isSaved = (commit: Commit): boolean => commit.patch === undefined && commit.subject === SAVED;

/**
 * The committer's address of a commit that was made from a patch file. git replaces it when a user
 * amends or rebases the commit: so it also says that the commit is still what the file says.
 */
const markOf = (sha256: string): string => `${sha256}@patch.stopwatch.localhost`;
const MARK = /^([0-9a-f]{64})@patch\.stopwatch\.localhost$/;

/** Whether commits of this committer are made from a release or a patch file, so that nothing is lost with them. */
export const isMadeAgain = (email: string): boolean => email === BASE_COMMITTER || MARK.test(email);

export interface Chain {
  readonly base: string;
  readonly head: string;
  readonly headTree: string;
  /** Oldest first. */
  readonly commits: readonly Commit[];
}

/** Throws 'patch-failed' when HEAD does not come from a base of ours. */
export async function chainOf(repository: Repository, deps: GitDeps): Promise<Chain> {
  const format = ['%H', '%T', '%P', '%ce', '%s'].join('%x00');
  const log = await git(repository, ['log', '--first-parent', '--reverse', `--format=${format}`], deps);
  const all = log.split('\n').map((line) => {
    const [id = '', tree = '', parents = '', committer = '', subject = ''] = line.split('\0');
    const patch = MARK.exec(committer)?.[1];
    return { id, tree, parent: parents.split(' ')[0] ?? '', committer, subject, patch };
  });
  const [first, ...commits] = all;
  const last = all.at(-1);
  if (first === undefined || last === undefined || first.committer !== BASE_COMMITTER) {
    throw new StopwatchError(
      'patch-failed',
      `${repository.tree} is on a commit that does not come from the release: expected one on top of the first commit of the branch stopwatch`,
      { hint: `Go back to it: ${inTree(repository, ['checkout', 'stopwatch'])}` },
    );
  }
  return { base: first.id, head: last.id, headTree: last.tree, commits };
}

/** The last of the commits that were made from patch files and follow the base directly. */
export function patchedTip({ base, commits }: Chain): string {
  const hand = commits.findIndex(({ patch }) => patch === undefined);
  return (hand < 0 ? commits : commits.slice(0, hand)).at(-1)?.id ?? base;
}

export async function readPatchFiles(files: readonly string[]): Promise<readonly PatchFile[]> {
  return Promise.all(
    files.map(async (file) => {
      const content = await readFile(file).catch((cause: unknown) => {
        throw new StopwatchError('file-unreadable', `Could not read the patch ${file}`, { cause });
      });
      mustHaveUnixLineEnds(file, content);
      return { file, sha256: createHash('sha256').update(content).digest('hex') };
    }),
  );
}

/** Lines of a mail never end like that; those of a file in it may. */
function mustHaveUnixLineEnds(file: string, content: Buffer): void {
  const end = content.indexOf('\n');
  if (end < 1 || content[end - 1] !== 0x0d) return;
  throw new StopwatchError(
    'patch-failed',
    `The patch ${file} has CRLF line ends, so it fits no source tree: git converted it when it was checked out (core.autocrlf)`,
    {
      hint: 'A file .gitattributes with the line `* -text` keeps them; then: git rm --cached -rq . && git reset --hard (which loses what is not committed), or clone again.',
    },
  );
}

export type SeriesStep = { readonly commit: Commit } | { readonly patch: PatchFile };

/**
 * The wanted patches, then what was made by hand. A commit is kept where it is made from the same
 * file, or has the same subject and was rewritten by hand. Commits of other patch files fall away.
 */
export async function stepsTo(
  repository: Repository,
  { commits }: Chain,
  wanted: readonly PatchFile[],
  deps: GitDeps,
): Promise<{ readonly steps: readonly SeriesStep[]; readonly same: boolean }> {
  const rest = [...commits];
  const take = (index: number): SeriesStep[] => rest.splice(index, 1).map((commit) => ({ commit }));
  const steps: SeriesStep[] = [];
  for (const patch of wanted) {
    const index = rest.findIndex((commit) => commit.patch === patch.sha256);
    if (index >= 0) {
      steps.push(...take(index));
      continue;
    }
    const byHand = rest.some((commit) => commit.patch === undefined && !isSaved(commit));
    const subject = byHand ? await subjectOf(repository, patch, deps) : undefined;
    const rewritten = rest.findIndex(
      (commit) => commit.patch === undefined && !isSaved(commit) && commit.subject === subject,
    );
    if (rewritten < 0) {
      steps.push({ patch });
      continue;
    }
    deps.notice(
      `${basename(patch.file)}: ${repository.tree} has its own version of it, which stays; npx stopwatch update_patches writes it.`,
    );
    steps.push(...take(rewritten));
  }
  for (const commit of rest) if (commit.patch === undefined) steps.push({ commit });
  const same =
    steps.length === commits.length &&
    steps.every((step, index) => 'commit' in step && step.commit === commits[index]);
  return { steps, same };
}

/**
 * Commits the steps on top of `onto`, in objects and an index of its own. Throws 'patch-failed' with
 * what git says, and what to type so that git merges in the work tree.
 */
export async function replaySeries(
  repository: Repository,
  onto: string,
  steps: readonly SeriesStep[],
  deps: GitDeps,
): Promise<string> {
  const index = ours(repository, 'replay.index');
  let tip = onto;
  let loaded: string | undefined;
  const done: Replayed[] = [];
  for (const [at, step] of steps.entries()) {
    if ('commit' in step && step.commit.parent === tip) {
      tip = step.commit.id;
      continue;
    }
    if (loaded !== tip) await git(repository, ['read-tree', tip], deps, { index });
    const mail = 'patch' in step ? await mailOf(repository, step.patch, deps) : undefined;
    const diff = mail?.diff ?? (await diffOf(repository, stepCommit(step), tip, deps));
    const args = ['apply', '--cached', '--3way', '--verbose', '--whitespace=nowarn'];
    const isEmpty = (await readFile(diff)).length === 0;
    if (!isEmpty) {
      // Patch files keep little context, so that they fit other releases too.
      const context = 'patch' in step ? ['-C1'] : [];
      const { ok, said } = await tryGit(repository, [...args, ...context, diff], deps, { index });
      if (!ok) throw await conflict(repository, { tip, done, steps: steps.slice(at) }, said, index, deps);
      for (const line of said) {
        if (line.startsWith('Hunk ')) deps.log(`${nameOf(step)}: ${line}`);
      }
    }
    const tree = await git(repository, ['write-tree'], deps, { index });
    const isGone = 'commit' in step && tree === (await treeOf(repository, tip, deps));
    // A change by hand that the new series has as well.
    if (!isGone) {
      tip = await commitStep(repository, tip, tree, step, mail, deps);
      if ('commit' in step) done.push({ from: step.commit, id: tip });
    }
    loaded = tip;
  }
  return tip;
}

export async function treeOf(repository: Repository, commit: string, deps: GitDeps): Promise<string> {
  return git(repository, ['rev-parse', `${commit}^{tree}`], deps);
}

export async function saveCommit(
  repository: Repository,
  parent: string,
  tree: string,
  deps: GitDeps,
): Promise<string> {
  return git(repository, ['commit-tree', tree, '-p', parent, '-m', SAVED], deps);
}

/** A commit with the author and the message of another one. */
export async function recommit(
  repository: Repository,
  parent: string,
  tree: string,
  from: string,
  deps: GitDeps,
  committer: Readonly<Record<string, string>> = {},
): Promise<string> {
  const [name = '', email = '', ...message] = (
    await git(repository, ['log', '-1', '--format=%an%n%ae%n%B', from], deps)
  ).split('\n');
  const env = { GIT_AUTHOR_NAME: name, GIT_AUTHOR_EMAIL: email, ...committer };
  const args = ['commit-tree', tree, '-p', parent, '-F', '-'];
  return git(repository, args, deps, { input: `${message.join('\n').trimEnd()}\n`, env });
}

function stepCommit(step: SeriesStep): Commit {
  if ('commit' in step) return step.commit;
  throw new StopwatchError('internal', 'A patch file has no commit yet');
}

const nameOf = (step: SeriesStep): string =>
  'patch' in step ? basename(step.patch.file) : step.commit.subject;

async function commitStep(
  repository: Repository,
  parent: string,
  tree: string,
  step: SeriesStep,
  mail: Mail | undefined,
  deps: GitDeps,
): Promise<string> {
  if (mail === undefined || 'commit' in step) {
    const { id, patch } = stepCommit(step);
    const mark: Record<string, string> = patch === undefined ? {} : { GIT_COMMITTER_EMAIL: markOf(patch) };
    return recommit(repository, parent, tree, id, deps, mark);
  }
  const env = {
    ...(mail.author === '' ? {} : { GIT_AUTHOR_NAME: mail.author, GIT_AUTHOR_EMAIL: mail.email }),
    GIT_COMMITTER_NAME: basename(step.patch.file),
    GIT_COMMITTER_EMAIL: markOf(step.patch.sha256),
  };
  const input = `${`${mail.subject}\n\n${mail.body}`.trimEnd()}\n`;
  return git(repository, ['commit-tree', tree, '-p', parent, '-F', '-'], deps, { input, env });
}

interface Mail {
  readonly author: string;
  readonly email: string;
  readonly subject: string;
  readonly body: string;
  /** File that holds the patch alone. */
  readonly diff: string;
}

async function mailOf(repository: Repository, { file }: PatchFile, deps: GitDeps): Promise<Mail> {
  const directory = ours(repository, 'mail');
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  const [message, diff] = [join(directory, 'message'), join(directory, 'diff')];
  const script = 'git mailinfo -b --encoding=UTF-8 "$1" "$2" <"$3"';
  const info = await gitScript(repository, script, [message, diff, file], deps);
  const header = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(info)?.[1] ?? '';
  if ((await readFile(diff)).length === 0) {
    throw new StopwatchError(
      'patch-failed',
      `The patch ${file} cannot be used: expected a mail as git format-patch writes it, got no diff`,
      { hint: 'Make the change in the tree and let npx stopwatch update_patches write it.' },
    );
  }
  return {
    author: header('Author'),
    email: header('Email'),
    subject: header('Subject') || basename(file, '.patch'),
    body: await readFile(message, 'utf8'),
    diff,
  };
}

export async function subjectOf(repository: Repository, patch: PatchFile, deps: GitDeps): Promise<string> {
  return (await mailOf(repository, patch, deps)).subject;
}

/** The commit's changes without those that `tip` has already: git apply refuses to add or delete a file twice. */
async function diffOf(
  repository: Repository,
  { id, parent }: Commit,
  tip: string,
  deps: GitDeps,
): Promise<string> {
  const missing = new Set((await changesOf(repository, tip, id, deps)).map(({ path }) => path));
  const present = (await changesOf(repository, parent, id, deps)).filter(({ path }) => !missing.has(path));
  const from =
    present.length === 0 ? parent : await withChanges(repository, parent, present, deps, 'commit.index');
  const file = ours(repository, 'commit.diff');
  await writeFile(file, '');
  const script = 'git diff-tree -p --binary --full-index --no-renames "$1" "$2" >"$3"';
  await gitScript(repository, script, [from, id, file], deps);
  return file;
}

/** Where a chain ended that met a conflict. */
const PARTIAL = 'refs/stopwatch/partial';
/** Refs UNMERGED/000000 and on, oldest first: commits by hand that following the hint of a conflict may drop from HEAD. */
export const UNMERGED = 'refs/stopwatch/unmerged';

async function keepUnmerged(repository: Repository, ids: readonly string[], deps: GitDeps): Promise<void> {
  const names = await git(repository, ['for-each-ref', '--format=%(refname)', `${UNMERGED}/`], deps);
  const fresh = ids.map((id, at) => ({ id, name: `${UNMERGED}/${String(at).padStart(6, '0')}` }));
  const old = names.split('\n').filter((name) => name !== '' && fresh.every((each) => each.name !== name));
  if (old.length + fresh.length === 0) return;
  const input = [
    ...fresh.map(({ id, name }) => `update ${name} ${id}\n`),
    ...old.map((name) => `delete ${name}\n`),
  ].join('');
  await changing(repository, async () => git(repository, ['update-ref', '--stdin'], deps, { input }));
}

/** To be called when the commits by hand are all in HEAD. */
export async function forgetUnmerged(repository: Repository, deps: GitDeps): Promise<void> {
  await keepUnmerged(repository, [], deps);
}

/** Commits by hand that a conflict met and that HEAD does not have, merged or as they were; oldest first. */
export async function unmergedCommits(
  repository: Repository,
  chain: Chain,
  deps: GitDeps,
): Promise<readonly Commit[]> {
  const format = '--format=%(objectname)';
  const ids = (await git(repository, ['for-each-ref', format, `${UNMERGED}/`], deps)).split('\n');
  const kept = await tellApart(repository, ids.filter(Boolean), deps);
  if (kept.length === 0) return [];
  const own = await tellApart(
    repository,
    chain.commits.flatMap(({ id, patch }) => (patch === undefined ? [id] : [])),
    deps,
  );
  const missing: Commit[] = [];
  for (const { commit, key } of kept) {
    const same = own.findIndex((each) => each.commit.id === commit.id);
    // A commit of ours holds later changes, whatever it is called.
    const index = same >= 0 ? same : own.findIndex((each) => each.key === key && !each.isOurs);
    if (index < 0) missing.push(commit);
    else own.splice(index, 1);
  }
  return missing;
}

/** What stays when git cherry-picks a commit or goes on after a conflict: its author and its subject. */
async function tellApart(repository: Repository, ids: readonly string[], deps: GitDeps) {
  if (ids.length === 0) return [];
  const format = `--format=${['%H', '%T', '%P', '%ce', '%s', '%an', '%ae'].join('%x00')}`;
  const log = await git(repository, ['log', '--no-walk=unsorted', format, ...ids], deps);
  return log.split('\n').map((line) => {
    const [id = '', tree = '', parents = '', committer = '', subject = '', ...author] = line.split('\0');
    const commit = { id, tree, parent: parents.split(' ')[0] ?? '', subject, patch: undefined };
    return {
      commit,
      key: [subject, ...author].join('\0'),
      isOurs: isSaved(commit) && committer === EMAIL,
    };
  });
}

/** A commit that was made from another one. */
interface Replayed {
  readonly from: Commit;
  readonly id: string;
}

interface Stopped {
  readonly tip: string;
  readonly done: readonly Replayed[];
  /** The first of them does not fit. */
  readonly steps: readonly SeriesStep[];
}

async function conflict(
  repository: Repository,
  { tip, done, steps }: Stopped,
  said: readonly string[],
  index: string,
  deps: GitDeps,
): Promise<StopwatchError> {
  await changing(repository, async () => git(repository, ['update-ref', PARTIAL, tip], deps));
  const { what, tree } = repository;
  const [step] = steps;
  if (step === undefined) throw new StopwatchError('internal', 'No step, but a conflict');
  const checkout = inTree(repository, ['checkout', '-B', 'stopwatch', PARTIAL]);
  const lines = [
    ...said.filter((line) => !/^(Checking patch|Falling back|Performing|error: repository lacks)/.test(line)),
    ...(await conflictMarkers(repository, index, deps)),
  ];
  const others = steps.flatMap((each) => ('commit' in each ? [each.commit] : []));
  const inHead = new Set((await chainOf(repository, deps)).commits.map(({ id }) => id));
  const isLacking = ({ id, patch }: Commit) => patch === undefined && !inHead.has(id);
  const lacking = done.flatMap(({ from, id }) => (isLacking(from) ? [id] : []));
  if ('commit' in step) {
    // A rebase takes what is in HEAD along.
    const isInHead = inHead.has(step.commit.id);
    const left = isInHead ? others.filter(isLacking) : others;
    const keep = [...lacking, ...left.map(({ id }) => id)];
    if (keep.length > 0) await keepUnmerged(repository, keep, deps);
    const merge = isInHead
      ? inTree(repository, ['rebase', '--onto', PARTIAL, step.commit.parent])
      : `${checkout} && ${inTree(repository, ['cherry-pick', ...others.map(({ id }) => id)])}`;
    return new StopwatchError(
      'patch-failed',
      `"${step.commit.subject}" (${step.commit.id.slice(0, 12)}) does not fit ${what} as it is now, with its patches`,
      {
        hint: `No file was changed, and your changes are commits in ${tree}. Merge them there: ${merge}; then run the same command again.`,
        lastLines: lines,
      },
    );
  }
  const files = steps.flatMap((each) => ('patch' in each ? [each.patch.file] : []));
  const byHand = others.flatMap(({ id, patch }) => (patch === undefined ? [id] : []));
  const keep = [...lacking, ...byHand];
  if (keep.length > 0) await keepUnmerged(repository, keep, deps);
  const commands = [
    checkout,
    inTree(repository, ['am', '-3', '-C1', '--keep-non-patch', ...files]),
    ...(others.length === 0 ? [] : [inTree(repository, ['cherry-pick', ...others.map(({ id }) => id)])]),
  ];
  return new StopwatchError('patch-failed', `${basename(step.patch.file)} does not fit ${what} in ${tree}`, {
    hint: `No file was changed. Make the patch fit, or merge it in the tree: ${commands.join(' && ')}; then run the same command again, and npx stopwatch update_patches writes the patch.`,
    lastLines: lines,
  });
}

/** A command for the user's shell. */
export function inTree({ tree, gitDir }: Repository, args: readonly string[]): string {
  const place = gitDir === join(tree, '.git') ? ['-C', tree] : [`--git-dir=${gitDir}`, `--work-tree=${tree}`];
  return shellQuote({ file: 'git', args: [...place, ...args] });
}

/** Most lines of a conflict that are shown. */
const SHOWN = 60;

/** As git would have written them into the files. */
async function conflictMarkers(repository: Repository, index: string, deps: GitDeps): Promise<string[]> {
  const script = `git ls-files -u -z | tr '\\0' '\\n' | cut -f2 | sort -u | while read -r path; do
    cd "$1"
    for stage in 1 2 3; do git cat-file blob ":$stage:$path" >"conflict.$stage" 2>/dev/null || : >"conflict.$stage"; done
    printf '%s:\\n' "$path"
    git merge-file -p --diff3 -L 'the patches' -L 'before' -L 'your change' conflict.2 conflict.1 conflict.3 |
      sed -n '/^<<<<<<< /,/^>>>>>>> /p'
    rm -f conflict.?
  done`;
  const shown = await gitScript(repository, script, [ours(repository, '')], deps, { index });
  return shown === '' ? [] : shown.split('\n').slice(0, SHOWN);
}
