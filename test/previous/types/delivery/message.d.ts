/** The envelope of every message: CloudEvents 1.0 with references only (ids, etags, digests), never payloads. */
import * as z from 'zod';
import type { QueueName } from '../resources.ts';
/** of messages and what they are named after */
export declare const maxIdLength = 200;
/** Storage events as Event Grid's CloudEvents schema has them; unknown fields of Azure's are passed over. */
export declare const blobCreatedEvent: z.ZodObject<
  {
    specversion: z.ZodLiteral<'1.0'>;
    id: z.ZodString;
    source: z.ZodString;
    correlationid: z.ZodOptional<z.ZodString>;
    causationid: z.ZodOptional<z.ZodString>;
    attempt: z.ZodCatch<z.ZodOptional<z.ZodNumber>>;
    firstseen: z.ZodCatch<z.ZodOptional<z.ZodISODateTime>>;
    outage: z.ZodCatch<z.ZodOptional<z.ZodBoolean>>;
    time: z.ZodCatch<z.ZodOptional<z.ZodOptional<z.ZodISODateTime>>>;
    traceparent: z.ZodCatch<z.ZodOptional<z.ZodOptional<z.ZodString>>>;
    type: z.ZodLiteral<'Microsoft.Storage.BlobCreated'>;
    subject: z.ZodString;
    data: z.ZodObject<
      {
        url: z.ZodCatch<z.ZodString>;
        eTag: z.ZodString;
        contentLength: z.ZodCatch<z.ZodOptional<z.ZodNumber>>;
        contentType: z.ZodCatch<z.ZodOptional<z.ZodString>>;
        blobType: z.ZodCatch<z.ZodOptional<z.ZodString>>;
        sequencer: z.ZodCatch<z.ZodOptional<z.ZodString>>;
      },
      z.core.$strip
    >;
  },
  z.core.$strip
>;
export type BlobCreatedEvent = z.infer<typeof blobCreatedEvent>;
/** Version of the form of `data`, in the word that Event Grid has for it; missing: 1. */
export declare const dataVersion = 1;
export declare const commitDue: z.ZodObject<
  {
    specversion: z.ZodLiteral<'1.0'>;
    id: z.ZodString;
    source: z.ZodString;
    time: z.ZodOptional<z.ZodISODateTime>;
    traceparent: z.ZodOptional<z.ZodString>;
    correlationid: z.ZodOptional<z.ZodString>;
    causationid: z.ZodOptional<z.ZodString>;
    attempt: z.ZodCatch<z.ZodOptional<z.ZodNumber>>;
    firstseen: z.ZodCatch<z.ZodOptional<z.ZodISODateTime>>;
    outage: z.ZodCatch<z.ZodOptional<z.ZodBoolean>>;
    dataversion: z.ZodOptional<z.ZodLiteral<1>>;
    type: z.ZodLiteral<'darkroom.commit.due'>;
    subject: z.ZodString;
    data: z.ZodObject<
      {
        project: z.ZodString;
        generation: z.ZodNumber;
        openedAt: z.ZodISODateTime;
        now: z.ZodBoolean;
      },
      z.core.$strip
    >;
  },
  z.core.$strip
>;
export declare const versionCommitted: z.ZodObject<
  {
    specversion: z.ZodLiteral<'1.0'>;
    id: z.ZodString;
    source: z.ZodString;
    time: z.ZodOptional<z.ZodISODateTime>;
    traceparent: z.ZodOptional<z.ZodString>;
    correlationid: z.ZodOptional<z.ZodString>;
    causationid: z.ZodOptional<z.ZodString>;
    attempt: z.ZodCatch<z.ZodOptional<z.ZodNumber>>;
    firstseen: z.ZodCatch<z.ZodOptional<z.ZodISODateTime>>;
    outage: z.ZodCatch<z.ZodOptional<z.ZodBoolean>>;
    dataversion: z.ZodOptional<z.ZodLiteral<1>>;
    type: z.ZodLiteral<'darkroom.version.committed'>;
    subject: z.ZodString;
    data: z.ZodObject<
      {
        project: z.ZodString;
        version: z.ZodString;
        number: z.ZodNumber;
      },
      z.core.$strip
    >;
  },
  z.core.$strip
>;
/** a run is queued and may be started; `after` is the attempt that failed and whose backoff is over, 0 or none for a new run */
export declare const runQueued: z.ZodObject<
  {
    specversion: z.ZodLiteral<'1.0'>;
    id: z.ZodString;
    source: z.ZodString;
    time: z.ZodOptional<z.ZodISODateTime>;
    traceparent: z.ZodOptional<z.ZodString>;
    correlationid: z.ZodOptional<z.ZodString>;
    causationid: z.ZodOptional<z.ZodString>;
    attempt: z.ZodCatch<z.ZodOptional<z.ZodNumber>>;
    firstseen: z.ZodCatch<z.ZodOptional<z.ZodISODateTime>>;
    outage: z.ZodCatch<z.ZodOptional<z.ZodBoolean>>;
    dataversion: z.ZodOptional<z.ZodLiteral<1>>;
    type: z.ZodLiteral<'darkroom.run.queued'>;
    subject: z.ZodString;
    data: z.ZodObject<
      {
        project: z.ZodString;
        run: z.ZodString;
        after: z.ZodOptional<z.ZodNumber>;
      },
      z.core.$strip
    >;
  },
  z.core.$strip
>;
/** look at an attempt of a run again: start deadline, heartbeat, deadline; over when the token is no longer the run's */
export declare const runPoll: z.ZodObject<
  {
    specversion: z.ZodLiteral<'1.0'>;
    id: z.ZodString;
    source: z.ZodString;
    time: z.ZodOptional<z.ZodISODateTime>;
    traceparent: z.ZodOptional<z.ZodString>;
    correlationid: z.ZodOptional<z.ZodString>;
    causationid: z.ZodOptional<z.ZodString>;
    attempt: z.ZodCatch<z.ZodOptional<z.ZodNumber>>;
    firstseen: z.ZodCatch<z.ZodOptional<z.ZodISODateTime>>;
    outage: z.ZodCatch<z.ZodOptional<z.ZodBoolean>>;
    dataversion: z.ZodOptional<z.ZodLiteral<1>>;
    type: z.ZodLiteral<'darkroom.run.poll'>;
    subject: z.ZodString;
    data: z.ZodObject<
      {
        project: z.ZodString;
        run: z.ZodString;
        token: z.ZodString;
      },
      z.core.$strip
    >;
  },
  z.core.$strip
>;
/** a run ended: the next one that waits may begin */
export declare const runEnded: z.ZodObject<
  {
    specversion: z.ZodLiteral<'1.0'>;
    id: z.ZodString;
    source: z.ZodString;
    time: z.ZodOptional<z.ZodISODateTime>;
    traceparent: z.ZodOptional<z.ZodString>;
    correlationid: z.ZodOptional<z.ZodString>;
    causationid: z.ZodOptional<z.ZodString>;
    attempt: z.ZodCatch<z.ZodOptional<z.ZodNumber>>;
    firstseen: z.ZodCatch<z.ZodOptional<z.ZodISODateTime>>;
    outage: z.ZodCatch<z.ZodOptional<z.ZodBoolean>>;
    dataversion: z.ZodOptional<z.ZodLiteral<1>>;
    type: z.ZodLiteral<'darkroom.run.ended'>;
    subject: z.ZodString;
    data: z.ZodObject<
      {
        project: z.ZodString;
        run: z.ZodString;
      },
      z.core.$strip
    >;
  },
  z.core.$strip
>;
export declare const runTrained: z.ZodObject<
  {
    specversion: z.ZodLiteral<'1.0'>;
    id: z.ZodString;
    source: z.ZodString;
    time: z.ZodOptional<z.ZodISODateTime>;
    traceparent: z.ZodOptional<z.ZodString>;
    correlationid: z.ZodOptional<z.ZodString>;
    causationid: z.ZodOptional<z.ZodString>;
    attempt: z.ZodCatch<z.ZodOptional<z.ZodNumber>>;
    firstseen: z.ZodCatch<z.ZodOptional<z.ZodISODateTime>>;
    outage: z.ZodCatch<z.ZodOptional<z.ZodBoolean>>;
    dataversion: z.ZodOptional<z.ZodLiteral<1>>;
    type: z.ZodLiteral<'darkroom.run.trained'>;
    subject: z.ZodString;
    data: z.ZodObject<
      {
        project: z.ZodString;
        run: z.ZodString;
      },
      z.core.$strip
    >;
  },
  z.core.$strip
>;
export declare const modelApproved: z.ZodObject<
  {
    specversion: z.ZodLiteral<'1.0'>;
    id: z.ZodString;
    source: z.ZodString;
    time: z.ZodOptional<z.ZodISODateTime>;
    traceparent: z.ZodOptional<z.ZodString>;
    correlationid: z.ZodOptional<z.ZodString>;
    causationid: z.ZodOptional<z.ZodString>;
    attempt: z.ZodCatch<z.ZodOptional<z.ZodNumber>>;
    firstseen: z.ZodCatch<z.ZodOptional<z.ZodISODateTime>>;
    outage: z.ZodCatch<z.ZodOptional<z.ZodBoolean>>;
    dataversion: z.ZodOptional<z.ZodLiteral<1>>;
    type: z.ZodLiteral<'darkroom.model.approved'>;
    subject: z.ZodString;
    data: z.ZodObject<
      {
        project: z.ZodString;
        model: z.ZodNumber;
        deployment: z.ZodString;
        seenRevision: z.ZodOptional<z.ZodNumber>;
      },
      z.core.$strip
    >;
  },
  z.core.$strip
>;
export declare const canaryCheck: z.ZodObject<
  {
    specversion: z.ZodLiteral<'1.0'>;
    id: z.ZodString;
    source: z.ZodString;
    time: z.ZodOptional<z.ZodISODateTime>;
    traceparent: z.ZodOptional<z.ZodString>;
    correlationid: z.ZodOptional<z.ZodString>;
    causationid: z.ZodOptional<z.ZodString>;
    attempt: z.ZodCatch<z.ZodOptional<z.ZodNumber>>;
    firstseen: z.ZodCatch<z.ZodOptional<z.ZodISODateTime>>;
    outage: z.ZodCatch<z.ZodOptional<z.ZodBoolean>>;
    dataversion: z.ZodOptional<z.ZodLiteral<1>>;
    type: z.ZodLiteral<'darkroom.canary.check'>;
    subject: z.ZodString;
    data: z.ZodObject<
      {
        project: z.ZodString;
        deployment: z.ZodString;
      },
      z.core.$strip
    >;
  },
  z.core.$strip
>;
/** a batch is to go on */
export declare const batchDue: z.ZodObject<
  {
    specversion: z.ZodLiteral<'1.0'>;
    id: z.ZodString;
    source: z.ZodString;
    time: z.ZodOptional<z.ZodISODateTime>;
    traceparent: z.ZodOptional<z.ZodString>;
    correlationid: z.ZodOptional<z.ZodString>;
    causationid: z.ZodOptional<z.ZodString>;
    attempt: z.ZodCatch<z.ZodOptional<z.ZodNumber>>;
    firstseen: z.ZodCatch<z.ZodOptional<z.ZodISODateTime>>;
    outage: z.ZodCatch<z.ZodOptional<z.ZodBoolean>>;
    dataversion: z.ZodOptional<z.ZodLiteral<1>>;
    type: z.ZodLiteral<'darkroom.batch.due'>;
    subject: z.ZodString;
    data: z.ZodObject<
      {
        project: z.ZodString;
        batch: z.ZodString;
      },
      z.core.$strip
    >;
  },
  z.core.$strip
>;
/** Which messages a queue may carry. */
export declare const queueMessages: {
  'blob-created': z.ZodObject<
    {
      specversion: z.ZodLiteral<'1.0'>;
      id: z.ZodString;
      source: z.ZodString;
      correlationid: z.ZodOptional<z.ZodString>;
      causationid: z.ZodOptional<z.ZodString>;
      attempt: z.ZodCatch<z.ZodOptional<z.ZodNumber>>;
      firstseen: z.ZodCatch<z.ZodOptional<z.ZodISODateTime>>;
      outage: z.ZodCatch<z.ZodOptional<z.ZodBoolean>>;
      time: z.ZodCatch<z.ZodOptional<z.ZodOptional<z.ZodISODateTime>>>;
      traceparent: z.ZodCatch<z.ZodOptional<z.ZodOptional<z.ZodString>>>;
      type: z.ZodLiteral<'Microsoft.Storage.BlobCreated'>;
      subject: z.ZodString;
      data: z.ZodObject<
        {
          url: z.ZodCatch<z.ZodString>;
          eTag: z.ZodString;
          contentLength: z.ZodCatch<z.ZodOptional<z.ZodNumber>>;
          contentType: z.ZodCatch<z.ZodOptional<z.ZodString>>;
          blobType: z.ZodCatch<z.ZodOptional<z.ZodString>>;
          sequencer: z.ZodCatch<z.ZodOptional<z.ZodString>>;
        },
        z.core.$strip
      >;
    },
    z.core.$strip
  >;
  'dataset-commits': z.ZodObject<
    {
      specversion: z.ZodLiteral<'1.0'>;
      id: z.ZodString;
      source: z.ZodString;
      time: z.ZodOptional<z.ZodISODateTime>;
      traceparent: z.ZodOptional<z.ZodString>;
      correlationid: z.ZodOptional<z.ZodString>;
      causationid: z.ZodOptional<z.ZodString>;
      attempt: z.ZodCatch<z.ZodOptional<z.ZodNumber>>;
      firstseen: z.ZodCatch<z.ZodOptional<z.ZodISODateTime>>;
      outage: z.ZodCatch<z.ZodOptional<z.ZodBoolean>>;
      dataversion: z.ZodOptional<z.ZodLiteral<1>>;
      type: z.ZodLiteral<'darkroom.commit.due'>;
      subject: z.ZodString;
      data: z.ZodObject<
        {
          project: z.ZodString;
          generation: z.ZodNumber;
          openedAt: z.ZodISODateTime;
          now: z.ZodBoolean;
        },
        z.core.$strip
      >;
    },
    z.core.$strip
  >;
  trainings: z.ZodDiscriminatedUnion<
    [
      z.ZodObject<
        {
          specversion: z.ZodLiteral<'1.0'>;
          id: z.ZodString;
          source: z.ZodString;
          time: z.ZodOptional<z.ZodISODateTime>;
          traceparent: z.ZodOptional<z.ZodString>;
          correlationid: z.ZodOptional<z.ZodString>;
          causationid: z.ZodOptional<z.ZodString>;
          attempt: z.ZodCatch<z.ZodOptional<z.ZodNumber>>;
          firstseen: z.ZodCatch<z.ZodOptional<z.ZodISODateTime>>;
          outage: z.ZodCatch<z.ZodOptional<z.ZodBoolean>>;
          dataversion: z.ZodOptional<z.ZodLiteral<1>>;
          type: z.ZodLiteral<'darkroom.version.committed'>;
          subject: z.ZodString;
          data: z.ZodObject<
            {
              project: z.ZodString;
              version: z.ZodString;
              number: z.ZodNumber;
            },
            z.core.$strip
          >;
        },
        z.core.$strip
      >,
      z.ZodObject<
        {
          specversion: z.ZodLiteral<'1.0'>;
          id: z.ZodString;
          source: z.ZodString;
          time: z.ZodOptional<z.ZodISODateTime>;
          traceparent: z.ZodOptional<z.ZodString>;
          correlationid: z.ZodOptional<z.ZodString>;
          causationid: z.ZodOptional<z.ZodString>;
          attempt: z.ZodCatch<z.ZodOptional<z.ZodNumber>>;
          firstseen: z.ZodCatch<z.ZodOptional<z.ZodISODateTime>>;
          outage: z.ZodCatch<z.ZodOptional<z.ZodBoolean>>;
          dataversion: z.ZodOptional<z.ZodLiteral<1>>;
          type: z.ZodLiteral<'darkroom.run.queued'>;
          subject: z.ZodString;
          data: z.ZodObject<
            {
              project: z.ZodString;
              run: z.ZodString;
              after: z.ZodOptional<z.ZodNumber>;
            },
            z.core.$strip
          >;
        },
        z.core.$strip
      >,
      z.ZodObject<
        {
          specversion: z.ZodLiteral<'1.0'>;
          id: z.ZodString;
          source: z.ZodString;
          time: z.ZodOptional<z.ZodISODateTime>;
          traceparent: z.ZodOptional<z.ZodString>;
          correlationid: z.ZodOptional<z.ZodString>;
          causationid: z.ZodOptional<z.ZodString>;
          attempt: z.ZodCatch<z.ZodOptional<z.ZodNumber>>;
          firstseen: z.ZodCatch<z.ZodOptional<z.ZodISODateTime>>;
          outage: z.ZodCatch<z.ZodOptional<z.ZodBoolean>>;
          dataversion: z.ZodOptional<z.ZodLiteral<1>>;
          type: z.ZodLiteral<'darkroom.run.poll'>;
          subject: z.ZodString;
          data: z.ZodObject<
            {
              project: z.ZodString;
              run: z.ZodString;
              token: z.ZodString;
            },
            z.core.$strip
          >;
        },
        z.core.$strip
      >,
      z.ZodObject<
        {
          specversion: z.ZodLiteral<'1.0'>;
          id: z.ZodString;
          source: z.ZodString;
          time: z.ZodOptional<z.ZodISODateTime>;
          traceparent: z.ZodOptional<z.ZodString>;
          correlationid: z.ZodOptional<z.ZodString>;
          causationid: z.ZodOptional<z.ZodString>;
          attempt: z.ZodCatch<z.ZodOptional<z.ZodNumber>>;
          firstseen: z.ZodCatch<z.ZodOptional<z.ZodISODateTime>>;
          outage: z.ZodCatch<z.ZodOptional<z.ZodBoolean>>;
          dataversion: z.ZodOptional<z.ZodLiteral<1>>;
          type: z.ZodLiteral<'darkroom.run.ended'>;
          subject: z.ZodString;
          data: z.ZodObject<
            {
              project: z.ZodString;
              run: z.ZodString;
            },
            z.core.$strip
          >;
        },
        z.core.$strip
      >,
    ],
    'type'
  >;
  'training-events': z.ZodObject<
    {
      specversion: z.ZodLiteral<'1.0'>;
      id: z.ZodString;
      source: z.ZodString;
      correlationid: z.ZodOptional<z.ZodString>;
      causationid: z.ZodOptional<z.ZodString>;
      attempt: z.ZodCatch<z.ZodOptional<z.ZodNumber>>;
      firstseen: z.ZodCatch<z.ZodOptional<z.ZodISODateTime>>;
      outage: z.ZodCatch<z.ZodOptional<z.ZodBoolean>>;
      time: z.ZodCatch<z.ZodOptional<z.ZodOptional<z.ZodISODateTime>>>;
      traceparent: z.ZodCatch<z.ZodOptional<z.ZodOptional<z.ZodString>>>;
      type: z.ZodLiteral<'Microsoft.Storage.BlobCreated'>;
      subject: z.ZodString;
      data: z.ZodObject<
        {
          url: z.ZodCatch<z.ZodString>;
          eTag: z.ZodString;
          contentLength: z.ZodCatch<z.ZodOptional<z.ZodNumber>>;
          contentType: z.ZodCatch<z.ZodOptional<z.ZodString>>;
          blobType: z.ZodCatch<z.ZodOptional<z.ZodString>>;
          sequencer: z.ZodCatch<z.ZodOptional<z.ZodString>>;
        },
        z.core.$strip
      >;
    },
    z.core.$strip
  >;
  evaluations: z.ZodDiscriminatedUnion<
    [
      z.ZodObject<
        {
          specversion: z.ZodLiteral<'1.0'>;
          id: z.ZodString;
          source: z.ZodString;
          time: z.ZodOptional<z.ZodISODateTime>;
          traceparent: z.ZodOptional<z.ZodString>;
          correlationid: z.ZodOptional<z.ZodString>;
          causationid: z.ZodOptional<z.ZodString>;
          attempt: z.ZodCatch<z.ZodOptional<z.ZodNumber>>;
          firstseen: z.ZodCatch<z.ZodOptional<z.ZodISODateTime>>;
          outage: z.ZodCatch<z.ZodOptional<z.ZodBoolean>>;
          dataversion: z.ZodOptional<z.ZodLiteral<1>>;
          type: z.ZodLiteral<'darkroom.run.trained'>;
          subject: z.ZodString;
          data: z.ZodObject<
            {
              project: z.ZodString;
              run: z.ZodString;
            },
            z.core.$strip
          >;
        },
        z.core.$strip
      >,
      z.ZodObject<
        {
          specversion: z.ZodLiteral<'1.0'>;
          id: z.ZodString;
          source: z.ZodString;
          time: z.ZodOptional<z.ZodISODateTime>;
          traceparent: z.ZodOptional<z.ZodString>;
          correlationid: z.ZodOptional<z.ZodString>;
          causationid: z.ZodOptional<z.ZodString>;
          attempt: z.ZodCatch<z.ZodOptional<z.ZodNumber>>;
          firstseen: z.ZodCatch<z.ZodOptional<z.ZodISODateTime>>;
          outage: z.ZodCatch<z.ZodOptional<z.ZodBoolean>>;
          dataversion: z.ZodOptional<z.ZodLiteral<1>>;
          type: z.ZodLiteral<'darkroom.batch.due'>;
          subject: z.ZodString;
          data: z.ZodObject<
            {
              project: z.ZodString;
              batch: z.ZodString;
            },
            z.core.$strip
          >;
        },
        z.core.$strip
      >,
    ],
    'type'
  >;
  deployments: z.ZodDiscriminatedUnion<
    [
      z.ZodObject<
        {
          specversion: z.ZodLiteral<'1.0'>;
          id: z.ZodString;
          source: z.ZodString;
          time: z.ZodOptional<z.ZodISODateTime>;
          traceparent: z.ZodOptional<z.ZodString>;
          correlationid: z.ZodOptional<z.ZodString>;
          causationid: z.ZodOptional<z.ZodString>;
          attempt: z.ZodCatch<z.ZodOptional<z.ZodNumber>>;
          firstseen: z.ZodCatch<z.ZodOptional<z.ZodISODateTime>>;
          outage: z.ZodCatch<z.ZodOptional<z.ZodBoolean>>;
          dataversion: z.ZodOptional<z.ZodLiteral<1>>;
          type: z.ZodLiteral<'darkroom.model.approved'>;
          subject: z.ZodString;
          data: z.ZodObject<
            {
              project: z.ZodString;
              model: z.ZodNumber;
              deployment: z.ZodString;
              seenRevision: z.ZodOptional<z.ZodNumber>;
            },
            z.core.$strip
          >;
        },
        z.core.$strip
      >,
      z.ZodObject<
        {
          specversion: z.ZodLiteral<'1.0'>;
          id: z.ZodString;
          source: z.ZodString;
          time: z.ZodOptional<z.ZodISODateTime>;
          traceparent: z.ZodOptional<z.ZodString>;
          correlationid: z.ZodOptional<z.ZodString>;
          causationid: z.ZodOptional<z.ZodString>;
          attempt: z.ZodCatch<z.ZodOptional<z.ZodNumber>>;
          firstseen: z.ZodCatch<z.ZodOptional<z.ZodISODateTime>>;
          outage: z.ZodCatch<z.ZodOptional<z.ZodBoolean>>;
          dataversion: z.ZodOptional<z.ZodLiteral<1>>;
          type: z.ZodLiteral<'darkroom.canary.check'>;
          subject: z.ZodString;
          data: z.ZodObject<
            {
              project: z.ZodString;
              deployment: z.ZodString;
            },
            z.core.$strip
          >;
        },
        z.core.$strip
      >,
    ],
    'type'
  >;
};
export type Message = z.infer<(typeof queueMessages)[QueueName]>;
export type OwnMessage = Exclude<Message, BlobCreatedEvent>;
/** What caused the work at hand; copied into whatever it sends. */
export interface Cause {
  id: string;
  correlationid?: string | undefined;
  traceparent?: string | undefined;
}
