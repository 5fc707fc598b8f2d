/** Sends hostile requests to a platform, and says what must never happen and did. */
import pMap from 'p-map';
import { differences, jsonOf } from '../e2e/contract.ts';
import { encode, exchange, type RawAnswer } from './raw.ts';
import { type Context, type HostileRequest, hostileRequest } from './requests.ts';

/** a scrub may take a minute; whoever has no answer by then is stuck */
const limitMs = 90_000;
/** problems are read by people */
const maxProblemBytes = 4096;
/** statuses that a route may answer although it is no one's fault: no model is live; too much is asked */
const excused = new Set([503]);
/** what the host, Node's parser or the library answer before a function sees the request, without a body of ours */
const hostStatuses = new Set([400, 404, 405, 408, 411, 413, 414, 417, 429, 431, 501, 505]);

export interface Violation {
  n: number;
  what: string;
  request: HostileRequest;
}

export interface Attack {
  requests: number;
  /** number of answers by status; `closed` for connections that were closed without one */
  answers: Map<string, number>;
  slowest: { n: number; ms: number };
  violations: Violation[];
}

/** What is wrong with an answer; nothing: it is as it must be. */
export function judge(
  answer: RawAnswer | 'closed',
  { operation, answersOperation, raw, wrong }: HostileRequest,
): string[] {
  // a request that is no HTTP may be met by silence
  if (answer === 'closed') return answersOperation ? ['the connection was closed without an answer'] : [];
  const { status, headers, body } = answer;
  const found: string[] = [];
  if (status >= 500 && !(excused.has(status) && String(status) in operation.responses) && !isExcused(status, answer))
    found.push(`it is ${status}`);
  const text = body.toString('utf8');
  if (/\bat (async )?[\w.<>]+ \(|node_modules|\.ts:\d|\.mjs:\d/.test(text)) found.push('it shows where the code lies');
  if (status >= 400 && body.length > maxProblemBytes) found.push(`a problem of ${body.length} bytes`);
  if (headers.get('x-request-id') === null) {
    // HEAD and others end at the host
    if (!hostStatuses.has(status)) found.push(`the host answered ${status}`);
    return found;
  }
  if (raw.method === 'HEAD') return found;
  try {
    jsonOf(answer);
  } catch {
    return [...found, 'its body is not the JSON that it says'];
  }
  if (answersOperation && !wrong.includes('no host')) found.push(...differences(operation, answer));
  return found;
}

/** 503 of a route that scores before anything is live. */
function isExcused(status: number, { headers }: RawAnswer): boolean {
  return status === 503 && headers.get('x-ms-error-code') === 'no-model';
}

/** Sends requests `from` to `to` of a seed, eight at a time. */
export async function attack(
  context: Context & { origin: string },
  { seed, from, to, onDone }: { seed: number; from: number; to: number; onDone?: (done: number) => void },
): Promise<Attack> {
  const result: Attack = { requests: to - from, answers: new Map(), slowest: { n: -1, ms: 0 }, violations: [] };
  let done = 0;
  const numbers = Array.from({ length: to - from }, (_, i) => from + i);
  await pMap(
    numbers,
    async (n) => {
      const request = hostileRequest(seed, n, context);
      const startedAt = performance.now();
      let problems: string[];
      try {
        const answer = await exchange(context.origin, encode(request.raw), limitMs, request.leaves);
        const key = answer === 'closed' ? 'closed' : String(answer.status);
        result.answers.set(key, (result.answers.get(key) ?? 0) + 1);
        problems = judge(answer, request);
        if (problems.length > 0 && answer !== 'closed')
          problems.push(`answer: ${answer.body.toString('utf8').slice(0, 300)}`);
      } catch (error) {
        problems = [error instanceof Error ? error.message : String(error)];
      }
      const ms = performance.now() - startedAt;
      if (ms > result.slowest.ms) result.slowest = { n, ms };
      if (problems.length > 0) result.violations.push({ n, what: problems.join('; '), request });
      onDone?.(++done);
    },
    { concurrency: 8 },
  );
  return result;
}

/** A violation for people, with the command that repeats it. */
export function describe({ n, what, request }: Violation, seed: number): string {
  const { operation, wrong, raw } = request;
  const sent = `${raw.method} ${String(raw.target).slice(0, 200)} ${raw.body.toString('utf8').slice(0, 200)}`;
  return `request ${n}: ${operation.operationId} with ${wrong.join(', ')}: ${what}\n  sent: ${JSON.stringify(sent)}\n  again: npm run hostile -- --seed ${seed} --only ${n}`;
}
