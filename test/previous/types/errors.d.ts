/** The two ways a handler may fail. */
/** The input can never succeed: it is recorded and completed, not delivered again. */
export declare class TerminalError extends Error {
  readonly code: string;
  /** what of the input it is about, where that has a name */
  readonly target: string | undefined;
  constructor(code: string, message: string, target?: string);
}
/** Name of the service without which nothing can be noted. */
export declare const documentStore = 'The document store';
/** What is known of something that has to be tried later. */
export interface Delay {
  /** names the trouble where it is known */
  code?: string | undefined;
  /** how long the other side asks to be left alone */
  afterSeconds?: number | undefined;
  /** the service that did not answer or has no room: an outage, which says nothing about the input */
  service?: string | undefined;
}
/** Something is not ready or interfered: the message is delivered again, after a wait (shared/delivery/plan-redelivery.ts). */
export declare class RetryLater extends Error implements Delay {
  readonly code: string | undefined;
  readonly afterSeconds: number | undefined;
  readonly service: string | undefined;
  constructor(message: string, { code, afterSeconds, service }?: Delay);
}
