/** What people and apps do meanwhile: upload, ask for trainings, deploy, roll back, score. Keeps what was acknowledged. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../random.ts';

/** Where the HTTP API is, any of several, and an operator's key for it. */
export interface Front {
  http: { port: number }[];
  key: string;
}

export interface File {
  name: string;
  label: string;
  bytes: Buffer;
  /** no image at all: has to end quarantined */
  odd: boolean;
}

/** Everything that was answered with success: the platform may never lose or double any of it. */
export interface Ledger {
  /** blob names whose PUT was answered 201 (or 409 on a repetition: it had been written) */
  uploaded: Map<string, File>;
  /** trainings by idempotency key */
  trainings: Map<string, { id: string; decision: string }>;
  predictions: Set<string>;
  /** answers by status */
  answers: Map<string, number>;
}

/** Nothing has been acknowledged. */
export const newLedger = (): Ledger => ({
  uploaded: new Map(),
  trainings: new Map(),
  predictions: new Set(),
  answers: new Map(),
});

interface Answer {
  status: number;
  etag: string;
  body: Record<string, unknown>;
}

const requestTimeoutMs = 20_000;
const patienceMs = 120_000;

/** One request to one of the two HTTP hosts; undefined when it got no answer. */
export async function once(
  parts: Front,
  random: Random,
  method: string,
  route: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer | undefined> {
  const { port } = random.pick(parts.http);
  const bytes = Buffer.isBuffer(body) ? new Uint8Array(body) : body === undefined ? undefined : JSON.stringify(body);
  try {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1${route}`, {
      method,
      headers: {
        'x-api-key': parts.key,
        ...(bytes === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(bytes === undefined ? {} : { body: bytes }),
      signal: AbortSignal.timeout(requestTimeoutMs),
    });
    const text = await response.text();
    return {
      status: response.status,
      etag: response.headers.get('etag') ?? '',
      body: text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {},
    };
  } catch {
    return undefined;
  }
}

/** Repeats a request, as a client does, until it is answered with something else than 429 or 5xx. */
export async function call(...request: Parameters<typeof once>): Promise<Answer> {
  const until = Date.now() + patienceMs;
  for (;;) {
    const answer = await once(...request);
    if (answer !== undefined && answer.status < 500 && answer.status !== 429) return answer;
    if (Date.now() > until) {
      const said = answer === undefined ? 'no answer' : `${answer.status} ${JSON.stringify(answer.body)}`;
      throw new Error(`${request[2]} ${request[3]} was not answered for ${patienceMs / 1000} s: ${said}`);
    }
    await sleep(250);
  }
}

/** Uploads one file as an app would: an address, then the bytes, again and again until storage has it. */
export async function upload(parts: Front, random: Random, ledger: Ledger, project: string, file: File): Promise<void> {
  const { name, label } = file;
  const files = [{ name, label, contentType: 'image/png' }];
  const { body } = await call(parts, random, 'POST', `/projects/${project}/upload-urls`, { files });
  const [given] = body['value'] as { blob: string; url: string; headers: Record<string, string> }[];
  if (given === undefined) throw new Error('no upload address was given');
  const until = Date.now() + patienceMs;
  for (;;) {
    try {
      const { status } = await fetch(given.url, {
        method: 'PUT',
        headers: given.headers,
        body: new Uint8Array(file.bytes),
        signal: AbortSignal.timeout(requestTimeoutMs),
      });
      // not 201 at a repetition: the address creates one blob once, and the first try had created it
      if (status === 201 || status === 409 || status === 403) break;
    } catch {
      // storage is being restarted
    }
    if (Date.now() > until) throw new Error(`${given.blob} could not be uploaded for ${patienceMs / 1000} s`);
    await sleep(200);
  }
  ledger.uploaded.set(given.blob, file);
}

/**
 * One action of an operator or of an app that scores, chosen by chance. A refusal is an answer like any other.
 * `prefix` keeps the idempotency keys of rounds apart.
 */
export async function act(
  parts: Front,
  random: Random,
  ledger: Ledger,
  project: string,
  image: Buffer,
  prefix: string,
): Promise<void> {
  const base = `/projects/${project}`;
  const dice = random.next();
  const note = (what: string, status: number | undefined): void => {
    const name = `${what} ${status ?? 'no answer'}`;
    ledger.answers.set(name, (ledger.answers.get(name) ?? 0) + 1);
  };
  if (dice < 0.15) {
    const seed = random.between(1, 12);
    const key = `${prefix}ask-${seed}`;
    const answer = await once(parts, random, 'POST', `${base}/trainings`, { seed }, { 'idempotency-key': key });
    note('training', answer?.status);
    if (answer?.status === 202)
      ledger.trainings.set(key, { id: String(answer.body['id']), decision: String(answer.body['decision']) });
  } else if (dice < 0.3) {
    const seen = await once(parts, random, 'GET', `${base}/endpoint`);
    if (seen?.status !== 200) return note('endpoint', seen?.status);
    const rollback = random.next() < 0.5;
    const route = `${base}/endpoint/${rollback ? 'rollback' : 'deploy'}`;
    const body = rollback ? {} : { model: random.between(1, 2) };
    note(
      rollback ? 'rollback' : 'deploy',
      (await once(parts, random, 'POST', route, body, { 'if-match': seen.etag }))?.status,
    );
  } else {
    const answer = await once(parts, random, 'POST', `${base}/score`, image, { 'content-type': 'image/png' });
    note('score', answer?.status);
    if (answer?.status === 200) ledger.predictions.add(String(answer.body['predictionId']));
  }
}
