/** Answers and errors as HTTP. */
import { Readable } from 'node:stream';
import type { HttpResponseInit, InvocationContext } from '@azure/functions';
import { Problem, problemOf } from '../../shared/api/problem.ts';
import { RetryLater, TerminalError } from '../../shared/errors.ts';
import { withoutSecrets } from '../../shared/secrets.ts';
import { Unanswered } from '../../shared/prediction/score.ts';
import type { Answer } from './route.ts';
import type { Surface } from './surface.ts';

/** The response to a call that was answered, with the `common` headers that any answer to it has. */
export function renderAnswer(answer: Answer, common: Record<string, string>): HttpResponseInit {
  const headers: Record<string, string> = { ...common, ...answer.headers };
  if (answer.stream !== undefined) {
    headers['content-type'] = answer.contentType ?? 'application/octet-stream';
    return { status: answer.status, headers, body: Readable.from(answer.stream) };
  }
  if (answer.text !== undefined) {
    headers['content-type'] = answer.contentType ?? 'text/plain; charset=utf-8';
    return { status: answer.status, headers, body: answer.text };
  }
  if (answer.bytes !== undefined) {
    headers['content-type'] = answer.contentType ?? 'application/octet-stream';
    return { status: answer.status, headers, body: answer.bytes };
  }
  headers['content-type'] = 'application/json';
  return { status: answer.status, headers, body: JSON.stringify(answer.json ?? {}) };
}

/** The response to a call that failed, in the language of the surface, whatever was thrown. Only what nobody foresaw is logged. */
export function renderError(
  surface: Surface,
  error: unknown,
  common: Record<string, string>,
  context: InvocationContext,
): HttpResponseInit {
  const problem = toProblem(error);
  if (problem.status === 500)
    context.error(withoutSecrets(error instanceof Error ? (error.stack ?? error.message) : 'unknown error'));
  const { status, headers, json } = surface.renderProblem(problem, context.invocationId);
  return {
    status,
    headers: {
      ...common,
      ...problem.headers,
      'content-type': 'application/json',
      ...(problem.retryAfterSeconds === undefined ? {} : { 'retry-after': String(problem.retryAfterSeconds) }),
      ...(status === 401 ? { 'www-authenticate': surface.credentials.challenge } : {}),
      ...headers,
    },
    body: withoutSecrets(JSON.stringify(json)),
  };
}

function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof Unanswered) {
    return new Problem(422, error.code, error.message, { predictionId: error.predictionId });
  }
  if (error instanceof TerminalError) return problemOf(error);
  if (error instanceof RetryLater)
    return new Problem(503, 'try-again', `${error.message} Send the request again.`, { retryAfterSeconds: 2 });
  const detail = 'Something failed that should not have. Try again; if it stays, report the request id.';
  return new Problem(500, 'internal-error', detail);
}
