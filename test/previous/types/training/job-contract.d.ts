/**
 * The job contract: what a training job is given and what it tells. A job in any language needs these two
 * documents and plain HTTP only; docs and fixtures follow this file.
 */
import * as z from 'zod';
/** Image pixels as the model sees them: CHW, 0..255, one channel (grey) or three (sRGB); docs/preprocessing.md says how to make them. */
export declare const imageShape: z.ZodObject<
  {
    width: z.ZodNumber;
    height: z.ZodNumber;
    channels: z.ZodUnion<readonly [z.ZodLiteral<1>, z.ZodLiteral<3>]>;
    range: z.ZodOptional<
      z.ZodEnum<{
        found: 'found';
        given: 'given';
      }>
    >;
    shrinkOnLoad: z.ZodOptional<z.ZodBoolean>;
    fit: z.ZodOptional<
      z.ZodEnum<{
        letterbox: 'letterbox';
        stretch: 'stretch';
      }>
    >;
  },
  z.core.$strip
>;
/** The three files a job leaves behind; each is created once and never overwritten. */
export declare const outputNames: readonly ['model.onnx', 'metrics.json', 'smoke.json'];
export type OutputName = (typeof outputNames)[number];
/** Version of the contract, in the job document and in reports; missing: 1. */
export declare const contractVersion = 1;
/** What `DARKROOM_JOB_URL` answers. A job re-reads it on every heartbeat: `cancelRequested` may have turned true. */
export declare const jobDocument: z.ZodObject<
  {
    version: z.ZodOptional<z.ZodLiteral<1>>;
    run: z.ZodString;
    project: z.ZodString;
    token: z.ZodString;
    attempt: z.ZodNumber;
    task: z.ZodOptional<z.ZodString>;
    manifestUrl: z.ZodURL;
    classes: z.ZodArray<z.ZodString>;
    image: z.ZodObject<
      {
        width: z.ZodNumber;
        height: z.ZodNumber;
        channels: z.ZodUnion<readonly [z.ZodLiteral<1>, z.ZodLiteral<3>]>;
        range: z.ZodOptional<
          z.ZodEnum<{
            found: 'found';
            given: 'given';
          }>
        >;
        shrinkOnLoad: z.ZodOptional<z.ZodBoolean>;
        fit: z.ZodOptional<
          z.ZodEnum<{
            letterbox: 'letterbox';
            stretch: 'stretch';
          }>
        >;
      },
      z.core.$strip
    >;
    trainer: z.ZodObject<
      {
        name: z.ZodString;
        parameters: z.ZodRecord<z.ZodString, z.ZodUnion<readonly [z.ZodNumber, z.ZodString, z.ZodBoolean]>>;
      },
      z.core.$strip
    >;
    seed: z.ZodNumber;
    datasetVersion: z.ZodString;
    deadline: z.ZodISODateTime;
    heartbeatSeconds: z.ZodNumber;
    outputs: z.ZodObject<
      {
        'model.onnx': z.ZodURL;
        'metrics.json': z.ZodURL;
        'smoke.json': z.ZodURL;
      },
      z.core.$strip
    >;
    reports: z.ZodObject<
      {
        urlTemplate: z.ZodString;
        maximum: z.ZodNumber;
      },
      z.core.$strip
    >;
    cancelRequested: z.ZodBoolean;
  },
  z.core.$strip
>;
export type JobDocument = z.infer<typeof jobDocument>;
/** One sample of the manifest. What it shows is said by more fields, in the form of the task kind. */
export declare const manifestLine: z.ZodObject<
  {
    url: z.ZodURL;
    md5: z.ZodString;
    split: z.ZodEnum<{
      train: 'train';
      validation: 'validation';
    }>;
  },
  z.core.$loose
>;
/** Most samples that one report names; a job with more names the rest in its next ones. */
export declare const maxUnreadablePerReport = 100;
/** A sample of the manifest that the job could not read, and why: it did not arrive whole, or is no picture. */
declare const unreadable: z.ZodObject<
  {
    md5: z.ZodString;
    reason: z.ZodString;
  },
  z.core.$strip
>;
export type Unreadable = z.infer<typeof unreadable>;
/**
 * How many samples a job may leave out because it cannot read them: one of every 100, and one of fewer, since a single
 * sample must not stop the trainings of a small project. With more it fails.
 */
export declare const maxUnreadable: (samples: number) => number;
/** Reason of a job whose machine was taken away before it was done (SIGTERM): nothing is wrong with it, it begins again. */
export declare const terminated = 'terminated';
/** One report, created as the blob of its sequence. `failed` with the reason `cancelled` answers a cancellation. */
export declare const jobReport: z.ZodDiscriminatedUnion<
  [
    z.ZodObject<
      {
        version: z.ZodOptional<z.ZodLiteral<1>>;
        sequence: z.ZodNumber;
        at: z.ZodISODateTime;
        execution: z.ZodString;
        progress: z.ZodOptional<
          z.ZodObject<
            {
              phase: z.ZodString;
              done: z.ZodNumber;
              total: z.ZodNumber;
            },
            z.core.$strip
          >
        >;
        metrics: z.ZodOptional<
          z.ZodArray<
            z.ZodObject<
              {
                key: z.ZodString;
                value: z.ZodNumber;
                step: z.ZodNumber;
              },
              z.core.$strip
            >
          >
        >;
        unreadable: z.ZodOptional<
          z.ZodArray<
            z.ZodObject<
              {
                md5: z.ZodString;
                reason: z.ZodString;
              },
              z.core.$strip
            >
          >
        >;
        kind: z.ZodLiteral<'started'>;
        machine: z.ZodOptional<
          z.ZodObject<
            {
              executionProvider: z.ZodString;
              threads: z.ZodNumber;
              accelerator: z.ZodOptional<z.ZodString>;
            },
            z.core.$strip
          >
        >;
        code: z.ZodOptional<z.ZodString>;
      },
      z.core.$strip
    >,
    z.ZodObject<
      {
        version: z.ZodOptional<z.ZodLiteral<1>>;
        sequence: z.ZodNumber;
        at: z.ZodISODateTime;
        execution: z.ZodString;
        progress: z.ZodOptional<
          z.ZodObject<
            {
              phase: z.ZodString;
              done: z.ZodNumber;
              total: z.ZodNumber;
            },
            z.core.$strip
          >
        >;
        metrics: z.ZodOptional<
          z.ZodArray<
            z.ZodObject<
              {
                key: z.ZodString;
                value: z.ZodNumber;
                step: z.ZodNumber;
              },
              z.core.$strip
            >
          >
        >;
        unreadable: z.ZodOptional<
          z.ZodArray<
            z.ZodObject<
              {
                md5: z.ZodString;
                reason: z.ZodString;
              },
              z.core.$strip
            >
          >
        >;
        kind: z.ZodLiteral<'heartbeat'>;
      },
      z.core.$strip
    >,
    z.ZodObject<
      {
        version: z.ZodOptional<z.ZodLiteral<1>>;
        sequence: z.ZodNumber;
        at: z.ZodISODateTime;
        execution: z.ZodString;
        progress: z.ZodOptional<
          z.ZodObject<
            {
              phase: z.ZodString;
              done: z.ZodNumber;
              total: z.ZodNumber;
            },
            z.core.$strip
          >
        >;
        metrics: z.ZodOptional<
          z.ZodArray<
            z.ZodObject<
              {
                key: z.ZodString;
                value: z.ZodNumber;
                step: z.ZodNumber;
              },
              z.core.$strip
            >
          >
        >;
        unreadable: z.ZodOptional<
          z.ZodArray<
            z.ZodObject<
              {
                md5: z.ZodString;
                reason: z.ZodString;
              },
              z.core.$strip
            >
          >
        >;
        kind: z.ZodLiteral<'succeeded'>;
        outputs: z.ZodObject<
          {
            'model.onnx': z.ZodObject<
              {
                sha256: z.ZodString;
                sizeBytes: z.ZodNumber;
              },
              z.core.$strip
            >;
            'metrics.json': z.ZodObject<
              {
                sha256: z.ZodString;
                sizeBytes: z.ZodNumber;
              },
              z.core.$strip
            >;
            'smoke.json': z.ZodObject<
              {
                sha256: z.ZodString;
                sizeBytes: z.ZodNumber;
              },
              z.core.$strip
            >;
          },
          z.core.$strip
        >;
      },
      z.core.$strip
    >,
    z.ZodObject<
      {
        version: z.ZodOptional<z.ZodLiteral<1>>;
        sequence: z.ZodNumber;
        at: z.ZodISODateTime;
        execution: z.ZodString;
        progress: z.ZodOptional<
          z.ZodObject<
            {
              phase: z.ZodString;
              done: z.ZodNumber;
              total: z.ZodNumber;
            },
            z.core.$strip
          >
        >;
        metrics: z.ZodOptional<
          z.ZodArray<
            z.ZodObject<
              {
                key: z.ZodString;
                value: z.ZodNumber;
                step: z.ZodNumber;
              },
              z.core.$strip
            >
          >
        >;
        unreadable: z.ZodOptional<
          z.ZodArray<
            z.ZodObject<
              {
                md5: z.ZodString;
                reason: z.ZodString;
              },
              z.core.$strip
            >
          >
        >;
        kind: z.ZodLiteral<'failed'>;
        reason: z.ZodString;
      },
      z.core.$strip
    >,
  ],
  'kind'
>;
export type JobReport = z.infer<typeof jobReport>;
export declare const maxSmokeSamples = 64;
/** `smoke.json`: what the trained model answers for some validation samples, in the form of the task kind, checked again when it is deployed. */
export declare const smokeFile: z.ZodArray<
  z.ZodObject<
    {
      md5: z.ZodString;
    },
    z.core.$loose
  >
>;
export {};
