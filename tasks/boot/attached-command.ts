// SPDX-License-Identifier: MIT
/** `exec --attach`: a command in the VM that `run --serve` started. */
import { EXIT, StopwatchError } from '../../lib/errors.js';
import { connectPorts, type GuestPorts } from '../../vm/console/guest-ports.js';
import type { Result, Services } from '../config/services.js';
import { CommandStreams } from './command-streams.js';
import type { ExecOptions } from './exec.js';
import { guestCommand } from './guest-command.js';
import { converse } from './push.js';

/** Where the guest gets them; one command runs at a time. */
const [COMMAND, SCRIPT] = ['/tmp/exec_command', '/tmp/exec_script'];

export async function attachedCommand(
  services: Services,
  options: Pick<ExecOptions, 'command' | 'script'>,
): Promise<Result> {
  const { command, script } = await guestCommand(options, SCRIPT);
  const files = [{ path: COMMAND, content: Buffer.from(command) }];
  if (script !== undefined) files.push({ path: SCRIPT, content: Buffer.from(script) });
  const attach = files.map(({ path, content }) => ({ path, base64: content.toString('base64') }));
  let ports: GuestPorts | undefined;
  const streams = new CommandStreams({
    stdin: process.stdin,
    outputs: [process.stdout, process.stderr],
    onEnd: () => ports?.status.write('ended\n'),
  });
  try {
    await converse(services, { attach }, async (directory) => {
      ports = await connectPorts(directory);
      streams.run(ports);
      return 'connected';
    });
  } finally {
    streams.close();
    for (const port of Object.values(ports ?? {})) port?.destroy();
  }
  if (streams.end === undefined) throw new StopwatchError('push-failed', 'The command did not end');
  return { exitCode: EXIT.passed, guestStatus: streams.end.status };
}
