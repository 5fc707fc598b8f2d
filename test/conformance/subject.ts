/** What the conformance suite runs against: the ports that handlers use, and whoever is at the other side of them. */
import type { Blobs, Compute, Documents, Messages } from '../../shared/ports.ts';
import type { QueueName } from '../../shared/resources.ts';

export type QueuePath = QueueName | `${QueueName}/$deadletterqueue`;

/** A message that is locked for whoever received it. */
export interface Received {
  body: unknown;
  /** this delivery counted; 1 at first */
  deliveries: number;
  reason: string | undefined;
  /** 'lost': the lock ran out, the message is or was somebody else's */
  complete(): Promise<'completed' | 'lost'>;
  abandon(): Promise<void>;
  /** the receiver dies without a word */
  die(): void;
}

export interface Subject {
  documents: Documents;
  blobs: Blobs;
  messages: Messages;
  compute: Compute | undefined;
  /** what projects may choose beside it */
  machineLearning: Compute | undefined;
  /** of this run: in ids, names and partitions, so that an account may be used again */
  unique: string;
  lockSeconds: number;
  maxDeliveryCount: number;
  /** time as the services have it */
  now(): number;
  sleep(ms: number): Promise<void>;
  /** undefined: nothing came */
  receive(queue: QueuePath, waitMs: number): Promise<Received | undefined>;
  /** with an address and nothing else: undefined when it is not allowed or there is nothing */
  getUrl(url: string): Promise<Buffer | undefined>;
  putUrl(url: string, body: Buffer): Promise<'created' | 'refused'>;
  close(): Promise<void>;
}

/** Opens a subject once, whoever asks first. */
export type Open = () => Promise<Subject>;
