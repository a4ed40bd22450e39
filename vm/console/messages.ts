// SPDX-License-Identifier: MIT
/** Separates protocol messages from other text on a serial line from the guest. */

/** Starts every message. */
const MARK = '\u0001';
const HELLO = new RegExp(String.raw`(?:^|\n)${MARK}hello\r?\n`);
/** The longest message, in characters. */
const LONGEST = 64 * 1024;

export interface MessageHandlers {
  /** The guest asks for the secret. */
  readonly onHello: () => void;
  readonly onText: (text: string) => void;
  readonly onMessage: (message: string) => void;
}

/**
 * The first message is `^Ahello`, on a line of its own. Later ones begin with `^ASECRET `, anywhere in a line, and end
 * with it. Text without the secret is never taken for a message.
 */
export class MessageSplitter {
  readonly #handlers: MessageHandlers;
  readonly #mark: string;
  #knows = false;
  #rest = '';

  /** `secret`: letters and digits only. */
  constructor(secret: string, handlers: MessageHandlers) {
    this.#mark = `${MARK}${secret} `;
    this.#handlers = handlers;
  }

  push(chunk: string): void {
    this.#rest += chunk;
    if (!this.#knows) this.#awaitHello();
    if (this.#knows) this.#split(this.#mark);
  }

  #awaitHello(): void {
    const found = HELLO.exec(this.#rest);
    if (found === null) {
      this.#rest = this.#rest.slice(-LONGEST);
      return;
    }
    this.#knows = true;
    this.#rest = this.#rest.slice(found.index + found[0].length);
    this.#handlers.onHello();
  }

  #split(mark: string): void {
    for (;;) {
      const at = this.#rest.indexOf(mark);
      if (at < 0) break;
      this.#giveText(at);
      const end = this.#rest.indexOf('\n');
      if (end < 0) {
        if (this.#rest.length > LONGEST) this.#rest = '';
        return;
      }
      const message = this.#rest.slice(mark.length, end);
      this.#rest = this.#rest.slice(end + 1);
      this.#handlers.onMessage(message.endsWith('\r') ? message.slice(0, -1) : message);
    }
    // The chunk may end inside a mark.
    const last = this.#rest.lastIndexOf(MARK);
    this.#giveText(last >= 0 && mark.startsWith(this.#rest.slice(last)) ? last : this.#rest.length);
  }

  /** Emits the first characters of the buffer as text. */
  #giveText(length: number): void {
    if (length > 0) this.#handlers.onText(this.#rest.slice(0, length));
    this.#rest = this.#rest.slice(length);
  }
}
