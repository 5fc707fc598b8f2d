/** The envelope of every message: CloudEvents 1.0 with references only (ids, etags, digests), never payloads. */
import * as z from 'zod';
import { projectName } from '../names.ts';
import type { QueueName } from '../resources.ts';

/** of messages and what they are named after */
export const maxIdLength = 200;
const envelope = {
  specversion: z.literal('1.0'),
  id: z.string().min(1).max(maxIdLength),
  source: z.string().min(1).max(500),
  time: z.iso.datetime({ offset: true }).optional(),
  /** W3C trace context of the cause: Service Bus hops have lost it in several versions, so it travels in the envelope */
  traceparent: z.string().max(60).optional(),
  correlationid: z.string().max(maxIdLength).optional(),
  causationid: z.string().max(maxIdLength).optional(),
  // of a message that was put off (shared/delivery/plan-redelivery.ts); nobody else writes them, and what cannot be read counts as missing
  /** which delivery of its present trouble this is; missing: the first */
  attempt: z.number().int().min(1).max(100_000).optional().catch(undefined),
  /** when its first delivery was */
  firstseen: z.iso.datetime().optional().catch(undefined),
  /** the trouble is a service that does not answer */
  outage: z.boolean().optional().catch(undefined),
};

/** What a storage event tells besides which write it is about: of whatever length or form, it costs no upload its outcome. */
const told = <T extends z.ZodType>(type: T) => type.optional().catch(undefined);

/** Storage events as Event Grid's CloudEvents schema has them; unknown fields of Azure's are passed over. */
export const blobCreatedEvent = z.object({
  ...envelope,
  time: told(envelope.time),
  traceparent: told(envelope.traceparent),
  type: z.literal('Microsoft.Storage.BlobCreated'),
  /** container and name of the blob: 63 and 1,024 characters at most */
  subject: z.string().max(4096),
  data: z.object({
    url: z.string().catch(''),
    eTag: z.string().min(1).max(200),
    contentLength: told(z.number().int().nonnegative()),
    contentType: told(z.string()),
    blobType: told(z.string()),
    sequencer: told(z.string()),
  }),
});
export type BlobCreatedEvent = z.infer<typeof blobCreatedEvent>;

/** Version of the form of `data`, in the word that Event Grid has for it; missing: 1. */
export const dataVersion = 1;
const version = z.literal(
  dataVersion,
  `this release reads version ${dataVersion} of its messages, and a newer one sent this: replay it once that release runs again`,
);

const message = <T extends string, D extends z.ZodType>(type: T, data: D) =>
  z.object({
    ...envelope,
    dataversion: version.optional(),
    type: z.literal(type),
    subject: z.string().max(400),
    data,
  });

const run = z.object({ project: projectName, run: z.string().max(80) });

export const commitDue = message(
  'darkroom.commit.due',
  z.object({
    project: projectName,
    generation: z.number().int().nonnegative(),
    openedAt: z.iso.datetime(),
    now: z.boolean(),
  }),
);
export const versionCommitted = message(
  'darkroom.version.committed',
  z.object({ project: projectName, version: z.string().max(80), number: z.number().int().positive() }),
);
/** a run is queued and may be started; `after` is the attempt that failed and whose backoff is over, 0 or none for a new run */
export const runQueued = message(
  'darkroom.run.queued',
  run.extend({ after: z.number().int().nonnegative().optional() }),
);
/** look at an attempt of a run again: start deadline, heartbeat, deadline; over when the token is no longer the run's */
export const runPoll = message('darkroom.run.poll', run.extend({ token: z.string().max(80) }));
/** a run ended: the next one that waits may begin */
export const runEnded = message('darkroom.run.ended', run);
export const runTrained = message('darkroom.run.trained', run);
export const modelApproved = message(
  'darkroom.model.approved',
  z.object({
    project: projectName,
    model: z.number().int().positive(),
    deployment: z.string().max(80),
    /** of the endpoint that the operator had seen (If-Match): changed since, it is left alone */
    seenRevision: z.number().int().nonnegative().optional(),
  }),
);
export const canaryCheck = message(
  'darkroom.canary.check',
  z.object({ project: projectName, deployment: z.string().max(80) }),
);

/** a batch is to go on */
export const batchDue = message('darkroom.batch.due', z.object({ project: projectName, batch: z.string().max(80) }));

/** Which messages a queue may carry. */
export const queueMessages = {
  'blob-created': blobCreatedEvent,
  'dataset-commits': commitDue,
  trainings: z.discriminatedUnion('type', [versionCommitted, runQueued, runPoll, runEnded]),
  'training-events': blobCreatedEvent,
  evaluations: z.discriminatedUnion('type', [runTrained, batchDue]),
  deployments: z.discriminatedUnion('type', [modelApproved, canaryCheck]),
} satisfies Record<QueueName, z.ZodType>;

export type Message = z.infer<(typeof queueMessages)[QueueName]>;
export type OwnMessage = Exclude<Message, BlobCreatedEvent>;

/** What caused the work at hand; copied into whatever it sends. */
export interface Cause {
  id: string;
  correlationid?: string | undefined;
  traceparent?: string | undefined;
}
