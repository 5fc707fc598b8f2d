import * as z from 'zod';
import type { QueueName } from './resources.ts';
/** Storage events as Event Grid's CloudEvents schema has them; unknown fields of Azure's are passed over. */
export declare const blobCreatedEvent: z.ZodObject<
  {
    specversion: z.ZodLiteral<'1.0'>;
    id: z.ZodString;
    source: z.ZodString;
    time: z.ZodOptional<z.ZodISODateTime>;
    traceparent: z.ZodOptional<z.ZodString>;
    correlationid: z.ZodOptional<z.ZodString>;
    causationid: z.ZodOptional<z.ZodString>;
    type: z.ZodLiteral<'Microsoft.Storage.BlobCreated'>;
    subject: z.ZodString;
    data: z.ZodObject<
      {
        url: z.ZodString;
        eTag: z.ZodString;
        contentLength: z.ZodOptional<z.ZodNumber>;
        contentType: z.ZodOptional<z.ZodString>;
        sequencer: z.ZodOptional<z.ZodString>;
      },
      z.core.$strip
    >;
  },
  z.core.$strip
>;
export type BlobCreatedEvent = z.infer<typeof blobCreatedEvent>;
export declare const commitDue: z.ZodObject<
  {
    specversion: z.ZodLiteral<'1.0'>;
    id: z.ZodString;
    source: z.ZodString;
    time: z.ZodOptional<z.ZodISODateTime>;
    traceparent: z.ZodOptional<z.ZodString>;
    correlationid: z.ZodOptional<z.ZodString>;
    causationid: z.ZodOptional<z.ZodString>;
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
export declare const runCheck: z.ZodObject<
  {
    specversion: z.ZodLiteral<'1.0'>;
    id: z.ZodString;
    source: z.ZodString;
    time: z.ZodOptional<z.ZodISODateTime>;
    traceparent: z.ZodOptional<z.ZodString>;
    correlationid: z.ZodOptional<z.ZodString>;
    causationid: z.ZodOptional<z.ZodString>;
    type: z.ZodLiteral<'darkroom.run.check'>;
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
/** Which messages a queue may carry. */
export declare const queueMessages: {
  'blob-created': z.ZodObject<
    {
      specversion: z.ZodLiteral<'1.0'>;
      id: z.ZodString;
      source: z.ZodString;
      time: z.ZodOptional<z.ZodISODateTime>;
      traceparent: z.ZodOptional<z.ZodString>;
      correlationid: z.ZodOptional<z.ZodString>;
      causationid: z.ZodOptional<z.ZodString>;
      type: z.ZodLiteral<'Microsoft.Storage.BlobCreated'>;
      subject: z.ZodString;
      data: z.ZodObject<
        {
          url: z.ZodString;
          eTag: z.ZodString;
          contentLength: z.ZodOptional<z.ZodNumber>;
          contentType: z.ZodOptional<z.ZodString>;
          sequencer: z.ZodOptional<z.ZodString>;
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
  'training-requests': z.ZodDiscriminatedUnion<
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
          type: z.ZodLiteral<'darkroom.run.check'>;
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
      time: z.ZodOptional<z.ZodISODateTime>;
      traceparent: z.ZodOptional<z.ZodString>;
      correlationid: z.ZodOptional<z.ZodString>;
      causationid: z.ZodOptional<z.ZodString>;
      type: z.ZodLiteral<'Microsoft.Storage.BlobCreated'>;
      subject: z.ZodString;
      data: z.ZodObject<
        {
          url: z.ZodString;
          eTag: z.ZodString;
          contentLength: z.ZodOptional<z.ZodNumber>;
          contentType: z.ZodOptional<z.ZodString>;
          sequencer: z.ZodOptional<z.ZodString>;
        },
        z.core.$strip
      >;
    },
    z.core.$strip
  >;
  evaluations: z.ZodObject<
    {
      specversion: z.ZodLiteral<'1.0'>;
      id: z.ZodString;
      source: z.ZodString;
      time: z.ZodOptional<z.ZodISODateTime>;
      traceparent: z.ZodOptional<z.ZodString>;
      correlationid: z.ZodOptional<z.ZodString>;
      causationid: z.ZodOptional<z.ZodString>;
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
/** Reads the body of a queue's message; `invalid` says what is wrong with it, and what to do. */
export declare function readMessage<Q extends QueueName>(
  queue: Q,
  body: unknown,
):
  | {
      message: z.infer<(typeof queueMessages)[Q]>;
    }
  | {
      invalid: string;
    };
export type Message = z.infer<(typeof queueMessages)[QueueName]>;
export type OwnMessage = Exclude<Message, BlobCreatedEvent>;
/** What caused the work at hand; copied into whatever it sends. */
export interface Cause {
  id: string;
  correlationid?: string | undefined;
  traceparent?: string | undefined;
}
/**
 * Composes a message whose id derives from its cause, type and subject, so that a handler run twice sends equal ids.
 * `nonce` tells repeated messages of one cause apart (a check that schedules the next check).
 */
export declare function compose<M extends OwnMessage>(
  type: M['type'],
  subject: string,
  data: M['data'],
  cause: Cause,
  nonce?: string,
): M;
