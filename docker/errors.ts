// SPDX-License-Identifier: MIT
/** What went wrong between us and the daemon, in words: one StopwatchError for whatever was thrown. */
import { StopwatchError } from '../lib/errors.js';
import { numberField, textField } from './field.js';

/** For hints. */
const ITS_LOG = '`journalctl -u docker`, with --user for one of your own';

/** The parts of an error of Node's sockets, or of an answer of the Engine API, that say what it was. */
interface Thrown {
  /** errno name or TLS code, e.g. 'ECONNREFUSED', 'CERT_HAS_EXPIRED'. */
  readonly code: string | undefined;
  /** HTTP status of the daemon's answer. */
  readonly status: number | undefined;
  readonly text: string;
}

/** Reads `cause` without trusting its shape. */
export function thrown(cause: unknown): Thrown {
  const code = textField(cause, 'code');
  const status = numberField(cause, 'statusCode');
  const message = cause instanceof Error ? cause.message : String(cause);
  // dockerode puts '(HTTP code 500) server error - ' before what the daemon said.
  return { code, status, text: message.replace(/^\(HTTP code \d+\) [^-]* - /, '').trim() };
}

/** TLS failures have many codes in Node; all that concern us match one of these words. */
const TLS_CODE = /CERT|SSL|TLS|EPROTO|UNABLE_TO/;

/** A daemon that does not answer, or not as a daemon. `address` names it, with where the address came from. */
export function unreachable(cause: unknown, address: string): StopwatchError {
  const { code, status, text } = thrown(cause);
  if (code === 'EACCES' || code === 'EPERM')
    return new StopwatchError('permission-denied', `This user may not use the Docker daemon at ${address}`, {
      hint: 'join the group that owns the socket (`sudo usermod -aG docker "$USER"`, then log in again), or use a rootless daemon and DOCKER_HOST',
      cause,
    });
  if (code === 'ENOENT' || code === 'ECONNREFUSED')
    return new StopwatchError('docker-unreachable', `No Docker daemon answers at ${address}: ${text}`, {
      hint: 'start it (`sudo systemctl start docker`, or Docker Desktop), or name another one in DOCKER_HOST',
      cause,
    });
  if (code !== undefined && TLS_CODE.test(code))
    return new StopwatchError(
      'docker-unreachable',
      `No secure connection to the Docker daemon at ${address}: ${text} (${code})`,
      {
        hint: 'check ca.pem, cert.pem and key.pem in DOCKER_CERT_PATH or in the context; a daemon without TLS needs DOCKER_TLS_VERIFY unset',
        cause,
      },
    );
  if (status === 400 && /HTTP request to an HTTPS server/.test(text))
    return new StopwatchError(
      'docker-unreachable',
      `The Docker daemon at ${address} wants TLS and was spoken to without`,
      {
        hint: 'set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH',
        cause,
      },
    );
  return new StopwatchError(
    'docker-unreachable',
    `What answers at ${address} does not answer as a Docker daemon does: ${text}`,
    {
      hint: `check DOCKER_HOST, and the daemon’s own log (${ITS_LOG})`,
      cause,
    },
  );
}

/** A request that the daemon refused or could not finish, or that `signal` ended. `doing` completes "while …". */
export function failed(cause: unknown, doing: string, signal?: AbortSignal): StopwatchError {
  if (cause instanceof StopwatchError) return cause;
  const { code, text } = thrown(cause);
  // A request that was ended fails in one of many ways, as a lost connection among others.
  if (signal?.aborted === true)
    return new StopwatchError('interrupted', `Interrupted while ${doing}`, { cause });
  const message = `The Docker daemon failed while ${doing}: ${text}`;
  if (/no space left on device|ENOSPC|disk quota exceeded/i.test(text))
    return new StopwatchError('disk-full', message, {
      hint: 'free space where the daemon keeps its data: `docker system df` shows what holds it, `docker system prune` removes what is unused',
      cause,
    });
  if (/exec format error|does not match the (specified|detected) .*platform|no matching manifest/i.test(text))
    return new StopwatchError('docker-failed', message, {
      hint: 'the image is for another architecture than the daemon’s machine: run again with --rebuild',
      cause,
    });
  if (/bind source path does not exist|statfs .*no such file/i.test(text))
    return new StopwatchError('docker-failed', message, {
      hint: 'the daemon does not see this machine’s files (another machine, or a directory that Docker Desktop does not share): use a local daemon',
      cause,
    });
  if (/executable file not found|exec: .*no such file or directory/i.test(text))
    return new StopwatchError('command-not-found', message, {
      hint: 'the image lacks that program: run again with --rebuild',
      cause,
    });
  if (code === 'ECONNRESET' || code === 'EPIPE' || code === 'ECONNREFUSED' || code === 'ENOENT')
    return new StopwatchError('docker-unreachable', message, {
      hint: `the daemon went away: look into its log (${ITS_LOG}) and run again`,
      cause,
    });
  return new StopwatchError('docker-failed', message, {
    hint: `the daemon’s own log says more (${ITS_LOG})`,
    cause,
  });
}
