// SPDX-License-Identifier: MIT
/** Handles the console's escape key, Ctrl-A, as QEMU does: separates bytes for the guest from our own commands. */

export type KeyAction = 'quit' | 'help';

const CTRL_A = 0x01;

export const KEY_HELP = [
  'Ctrl-A x       end the machine',
  'Ctrl-A h       this help',
  'Ctrl-A Ctrl-A  send Ctrl-A to the guest',
  'After resizing the window, type `resize` in the guest.',
] as const;

export class KeyFilter {
  #escaped = false;

  /** Returns the bytes for the guest and the first action requested. Bytes after a 'quit' are dropped. */
  push(typed: Uint8Array): { readonly send: Uint8Array; readonly action: KeyAction | undefined } {
    const send: number[] = [];
    let action: KeyAction | undefined;
    for (const byte of typed) {
      if (!this.#escaped) {
        if (byte === CTRL_A) this.#escaped = true;
        else send.push(byte);
        continue;
      }
      this.#escaped = false;
      const key = String.fromCharCode(byte).toLowerCase();
      if (key === 'x') return { send: Uint8Array.from(send), action: 'quit' };
      if (key === 'h' || key === '?') action = 'help';
      else if (byte === CTRL_A || key === 'a') send.push(CTRL_A);
    }
    return { send: Uint8Array.from(send), action };
  }
}
