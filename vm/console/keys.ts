// SPDX-License-Identifier: MIT
/** The escape key of QEMU's console, Ctrl-A: what of the typed bytes is the guest's. Pure. */

export type KeyAction = 'quit' | 'help';

const CTRL_A = 0x01;

export const KEY_HELP = [
  'Ctrl-A x       end the machine',
  'Ctrl-A h       this help',
  'Ctrl-A Ctrl-A  send Ctrl-A to the guest',
  'When the window has another size, type `resize` in the guest.',
] as const;

export class KeyFilter {
  #escaped = false;

  /** Bytes for the guest, and the first action that was asked for; what was typed after that is dropped if it is 'quit'. */
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
