/**
 * The job contract: what a training job is given and what it tells. A job in any language needs these two
 * documents and plain HTTP only; docs and fixtures follow this file.
 */
import * as z from 'zod';
import { className, projectName } from '../names.ts';

const url = z.url({ protocol: /^https?$/ }).max(8192);
const identifier = z
  .string()
  .min(1)
  .max(80)
  .regex(/^[A-Za-z0-9._-]+$/);
const metricKey = z
  .string()
  .min(1)
  .max(250)
  .regex(/^[A-Za-z0-9_\-. :/]+$/);
const count = z.number().int().nonnegative();

/** Image pixels as the model sees them: CHW, 0..255, one channel (grey) or three (sRGB); docs/preprocessing.md says how to make them. */
export const imageShape = z.object({
  width: z.number().int().min(8).max(1024),
  height: z.number().int().min(8).max(1024),
  channels: z.union([z.literal(1), z.literal(3)]),
  /** left out: `given` */
  range: z.enum(['given', 'found']).optional(),
  /** left out: false */
  shrinkOnLoad: z.boolean().optional(),
  /** left out: `stretch` */
  fit: z.enum(['stretch', 'letterbox']).optional(),
});

/** The three files a job leaves behind; each is created once and never overwritten. */
export const outputNames = ['model.onnx', 'metrics.json', 'smoke.json'] as const;
export type OutputName = (typeof outputNames)[number];

/** Version of the contract, in the job document and in reports; missing: 1. */
export const contractVersion = 1;
const version = z
  .literal(contractVersion, `only version ${contractVersion} of the job contract is understood here`)
  .optional();

/** What `DARKROOM_JOB_URL` answers. A job re-reads it on every heartbeat: `cancelRequested` may have turned true. */
export const jobDocument = z.object({
  version,
  run: identifier,
  project: projectName,
  /** execution token: new for each start of the run */
  token: identifier,
  attempt: z.number().int().positive(),
  /** what the model is to answer: the project's task kind; left out (jobs of earlier releases): `classification` */
  task: z.string().min(1).max(40).optional(),
  /** NDJSON of `manifestLine`, train and validation samples only */
  manifestUrl: url,
  /** index in this list is the class index of the model's output */
  classes: z.array(className).max(1000),
  image: imageShape,
  trainer: z.object({
    name: z.string().min(1).max(100),
    parameters: z.record(z.string().max(100), z.union([z.number(), z.string().max(1000), z.boolean()])),
  }),
  seed: z.number().int().min(0).max(0xffffffff),
  datasetVersion: z.string().min(1).max(80),
  /** no report after this moment counts */
  deadline: z.iso.datetime({ offset: true }),
  heartbeatSeconds: z.number().min(0.1).max(3600),
  /** create-only signed addresses, one per file */
  outputs: z.object({ 'model.onnx': url, 'metrics.json': url, 'smoke.json': url }),
  reports: z.object({
    /** `{sequence}` stands for six decimal digits, from 000001; the signature creates blobs and can read or change none */
    urlTemplate: z
      .string()
      .max(8192)
      .regex(/^https?:\/\/[^?]+\{sequence\}\.json(\?.*)?$/),
    /** highest sequence that counts; the last one is for `succeeded` or `failed` */
    maximum: z.number().int().min(2).max(999_999),
  }),
  /**
   * Where a job keeps what a later attempt goes on from, after its machine was taken away. Each attempt writes to an address
   * of its own, so that one that was superseded spoils nothing. Left out by earlier releases; a job need not use it.
   */
  checkpoint: z
    .object({
      /** takes a file of at most `maximumBytes` again and again, without `If-None-Match` */
      putUrl: url,
      /** what earlier attempts kept, the latest attempt first; 404: it kept nothing */
      getUrls: z.array(url).max(16),
      maximumBytes: count.max(5_000_000_000),
    })
    .optional(),
  cancelRequested: z.boolean(),
});
export type JobDocument = z.infer<typeof jobDocument>;

/** One sample of the manifest. What it shows is said by more fields, in the form of the task kind. */
export const manifestLine = z.looseObject({
  /** signed read address of the image file */
  url,
  /** lower-case hex MD5 of the file */
  md5: z.string().regex(/^[0-9a-f]{32}$/),
  split: z.enum(['train', 'validation']),
});

/** Most samples that one report names; a job with more names the rest in its next ones. */
export const maxUnreadablePerReport = 100;
/** A sample of the manifest that the job could not read, and why: it did not arrive whole, or is no picture. */
const unreadable = z.object({ md5: z.string().regex(/^[0-9a-f]{32}$/), reason: z.string().min(1).max(300) });
export type Unreadable = z.infer<typeof unreadable>;

/**
 * How many samples a job may leave out because it cannot read them: one of every 100, and one of fewer, since a single
 * sample must not stop the trainings of a small project. With more it fails.
 */
export const maxUnreadable = (samples: number): number => Math.max(1, Math.floor(samples / 100));

const common = {
  version,
  sequence: z.number().int().min(1).max(999_999),
  /** RFC 3339, by the job's clock: shown, never reasoned with */
  at: z.iso.datetime({ offset: true }),
  /** the compute's name for this execution; the first `started` binds the run to it */
  execution: z.string().min(1).max(200),
  progress: z.object({ phase: z.string().min(1).max(40), done: count, total: count }).optional(),
  metrics: z
    .array(z.object({ key: metricKey, value: z.number(), step: count }))
    .max(1000)
    .optional(),
  /** the backend tries to read them itself: those that it cannot read either wait for review and are in no later version */
  unreadable: z.array(unreadable).max(maxUnreadablePerReport).optional(),
};
const writtenOutput = z.object({ sha256: z.string().regex(/^[0-9a-f]{64}$/), sizeBytes: count });

/** What a job computes on, in its own words. */
const machine = z.object({
  /** onnxruntime's name of it (`cpu`, `cuda`), or that of another engine */
  executionProvider: z.string().min(1).max(40),
  threads: z.number().int().min(1).max(4096),
  /** model of the GPU */
  accelerator: z.string().min(1).max(200).optional(),
});

/** Reason of a job whose machine was taken away before it was done (SIGTERM): nothing is wrong with it, it begins again. */
export const terminated = 'terminated';

/** One report, created as the blob of its sequence. `failed` with the reason `cancelled` answers a cancellation. */
export const jobReport = z.discriminatedUnion('kind', [
  z.object({
    ...common,
    kind: z.literal('started'),
    machine: machine.optional(),
    /** which program trains, for lineage: a digest of its code, or of the image that it came in */
    code: z.string().min(1).max(200).optional(),
  }),
  z.object({ ...common, kind: z.literal('heartbeat') }),
  z.object({
    ...common,
    kind: z.literal('succeeded'),
    outputs: z.object({ 'model.onnx': writtenOutput, 'metrics.json': writtenOutput, 'smoke.json': writtenOutput }),
  }),
  z.object({ ...common, kind: z.literal('failed'), reason: z.string().min(1).max(1000) }),
]);
export type JobReport = z.infer<typeof jobReport>;

export const maxSmokeSamples = 64;

/** `smoke.json`: what the trained model answers for some validation samples, in the form of the task kind, checked again when it is deployed. */
export const smokeFile = z.array(z.looseObject({ md5: z.string().regex(/^[0-9a-f]{32}$/) })).max(maxSmokeSamples);
