/** Errors of the HTTP API: RFC 9457 problem details, with Azure's error body beside them. */
import * as z from 'zod';
import type { TerminalError } from '../errors.ts';

const detail = z.object({ code: z.string(), message: z.string(), target: z.string() });
type Detail = z.infer<typeof detail>;

/** An answer that is not a success. `detail` says what failed, why, and what to do next. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly target: string | undefined;
  readonly retryAfterSeconds: number | undefined;
  /** where more than one thing is wrong: all of them */
  readonly details: Detail[] | undefined;
  /** where the failure was recorded as a prediction */
  readonly predictionId: string | undefined;
  /** what the answer has to say in its head */
  readonly headers: Record<string, string>;
  constructor(
    status: number,
    code: string,
    detail: string,
    more: {
      target?: string;
      retryAfterSeconds?: number;
      details?: Detail[];
      predictionId?: string;
      headers?: Record<string, string>;
    } = {},
  ) {
    super(detail);
    this.name = 'Problem';
    this.status = status;
    this.code = code;
    this.target = more.target;
    this.retryAfterSeconds = more.retryAfterSeconds;
    this.details = more.details;
    this.predictionId = more.predictionId;
    this.headers = more.headers ?? {};
  }
}

export const problemBody = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  requestId: z.string(),
  predictionId: z.string().optional(),
  error: detail.partial({ target: true }).extend({ details: z.array(detail).optional() }),
});

/** The body of a problem. */
export function toProblemBody(problem: Problem, requestId: string): z.infer<typeof problemBody> {
  const { status, code, target, message, details, predictionId } = problem;
  return {
    type: `urn:darkroom:problem:${code}`,
    title: code.replaceAll('-', ' '),
    status,
    detail: message,
    requestId,
    ...(predictionId === undefined ? {} : { predictionId }),
    error: {
      code,
      message,
      ...(target === undefined ? {} : { target }),
      ...(details === undefined ? {} : { details }),
    },
  };
}

/** Status of the codes that domain code throws. */
const statuses: Record<string, number> = {
  'unknown-project': 404,
  'no-version': 409,
  'unknown-version': 404,
  'too-few-classes': 409,
  'unknown-trainer': 400,
  'invalid-parameters': 400,
  'no-model': 503,
  'unknown-model': 404,
  'missing-artifact': 404,
  'unknown-batch': 404,
  'empty-model': 400,
  'wrong-classes': 400,
  'bad-image': 400,
  'unsupported-type': 415,
  'invalid-continuation': 400,
  'unknown-class': 400,
  'unknown-key': 404,
  'unknown-training': 404,
  forbidden: 403,
  'invalid-body': 400,
  'invalid-query': 400,
  'invalid-name': 400,
  'unknown-dead-letter': 404,
  'unknown-prediction': 404,
  'unknown-sample': 404,
  'unknown-upload': 404,
  'idempotency-key-required': 400,
  'precondition-failed': 412,
  'precondition-required': 428,
};

/** A domain error as a problem. */
export const problemOf = ({ code, message, target }: TerminalError): Problem =>
  new Problem(statuses[code] ?? 409, code, message, target === undefined ? {} : { target });
