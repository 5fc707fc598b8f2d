/** The two ways a handler may fail. */

/** The input can never succeed: it is recorded and completed, not delivered again. */
export class TerminalError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.name = 'TerminalError';
    this.code = code;
  }
}

/** Something is not ready or interfered: the message is delivered again. */
export class RetryLater extends Error {
  /** names the trouble where it is known */
  readonly code: string | undefined;
  /** how long the other side asks to be left alone */
  readonly afterSeconds: number | undefined;
  constructor(message: string, { code, afterSeconds }: { code?: string; afterSeconds?: number } = {}) {
    super(message);
    this.name = 'RetryLater';
    this.code = code;
    this.afterSeconds = afterSeconds;
  }
}
