/** What a request says: path, query, headers and body, each within its limits. */
import type { HttpRequest, InvocationContext } from '@azure/functions';
import * as z from 'zod';
import { holderOf } from '../../shared/api/keys.ts';
import { Problem } from '../../shared/api/problem.ts';
import type { Share } from '../../shared/budget.ts';
import { digestOf } from '../../shared/digest.ts';
import type { KeyDocument } from '../../shared/key/document.ts';
import { maxModelBytes } from '../../shared/model/artifact.ts';
import { type Chunks, readBody } from './body.ts';
import { streamBody, tooLarge } from './body-stream.ts';
import { assertDigest, createDigestCheck } from './digest.ts';
import { echo } from './echo.ts';
import { jsonOf } from './json.ts';
import { assertParams, type Params } from './path.ts';
import type { Call, Route } from './route.ts';
import type { MountedRoute } from './surface.ts';
import { validate } from './validate.ts';

const maxJsonBytes = 512 * 1024;
const maxImageBytes = 50 * 1024 * 1024;
const maxHeaderLength = 200;

/** What the steps before know of a request, and what its body may take. */
export interface Known {
  url: URL;
  params: Params;
  key: KeyDocument;
  bytes: Share | undefined;
  slow: Share;
  publicUrl: string | undefined;
}

/** Reads a call, and refuses it with the part that is wrong. */
export async function read(
  mounted: MountedRoute,
  request: HttpRequest,
  context: InvocationContext,
  { url, params, key, publicUrl = '', ...shares }: Known,
): Promise<Call<unknown, unknown, string>> {
  const { route, surface, name } = mounted;
  assertParams(mounted, params);
  const hasBody = route.method !== 'GET';
  if (hasBody) assertNotEncoded(request);
  if (route.takes !== undefined) assertNoForm(route.takes, request.headers.get('content-type'));
  const stream = route.takes === 'model' ? streamOf(request, shares) : none;
  const bytes = hasBody && stream === none ? await bytesOf(route, request, shares) : Buffer.alloc(0);
  const traceparent = context.traceContext?.traceParent ?? request.headers.get('traceparent') ?? undefined;
  const sent = header(request, 'idempotency-key');
  // what two operators happen to call the same are two requests; a key that was rotated is the same operator's
  const idempotencyKey = sent === undefined ? undefined : digestOf(40, holderOf(key), sent);
  const isJson = hasBody && route.takes === undefined;
  return {
    params,
    query: validate(route.query ?? z.strictObject({}), queryOf(url), 'query', surface),
    body: isJson
      ? validate(route.body ?? empty, jsonOf(route, request.headers.get('content-type'), bytes), 'body', surface)
      : undefined,
    bytes,
    stream,
    contentType: header(request, 'content-type')?.split(';')[0]?.trim().toLowerCase(),
    ifMatch: header(request, 'if-match'),
    idempotencyKey,
    key,
    by: key.name,
    cause: {
      id: idempotencyKey === undefined ? `http-${context.invocationId}` : `http-${name}-${idempotencyKey}`,
      ...(traceparent === undefined ? {} : { traceparent }),
    },
    base: publicUrl + surface.prefix,
  };
}

/** The body of a route that takes none. */
const empty = z.strictObject({}).optional();

/** Bodies are taken as they are sent: nothing here is decompressed, so that a few bytes never become many. */
function assertNotEncoded({ headers }: HttpRequest): void {
  const encoding = headers.get('content-encoding') ?? 'identity';
  if (encoding.toLowerCase() === 'identity') return;
  const detail = `Bodies in the content encoding "${echo(encoding)}" are not taken. Send it without one.`;
  const accepted = { 'accept-encoding': 'identity' };
  throw new Problem(415, 'unsupported-encoding', detail, { target: 'Content-Encoding', headers: accepted });
}

const chunksOf = ({ body }: HttpRequest): Chunks | null => body as unknown as Chunks | null;

async function bytesOf(
  { takes }: Route,
  request: HttpRequest,
  { bytes: share, slow }: Pick<Known, 'bytes' | 'slow'>,
): Promise<Buffer> {
  const maxBytes = takes === 'image' ? maxImageBytes : maxJsonBytes;
  const bytes = await readBody(chunksOf(request), maxBytes, { share, slow });
  assertDigest(request.headers, bytes);
  return bytes;
}

/** The stream of a route that takes none. */
const none: Chunks = {
  async *[Symbol.asyncIterator]() {
    // nothing comes
  },
};

/** A model that is announced as too large is refused before any of it is read. */
function streamOf(request: HttpRequest, { slow }: Pick<Known, 'slow'>): Chunks {
  const announced = Number(request.headers.get('content-length') ?? 0);
  if (announced > maxModelBytes) throw tooLarge(maxModelBytes);
  return streamBody(chunksOf(request), maxModelBytes, createDigestCheck(request.headers), { slow });
}

const wholeBody = {
  image: 'the bytes of one image as the whole body. With curl: --data-binary @scan.png instead of -F.',
  model:
    'the bytes of one ONNX file as the whole body, and all else in the query. With curl: --data-binary @model.onnx instead of -F.',
};

/** A form wraps what it carries. */
function assertNoForm(takes: keyof typeof wholeBody, contentType: string | null): void {
  if (contentType === null || !/^multipart\//i.test(contentType)) return;
  const detail = `A form was sent, and this takes ${wholeBody[takes]}`;
  throw new Problem(415, 'unsupported-type', detail, { target: 'content-type' });
}

/** One text per name: of two values nobody could say which one counts. */
function queryOf({ searchParams }: URL): Record<string, string> {
  const names = [...searchParams.keys()];
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice === undefined) return Object.fromEntries(searchParams);
  const target = echo(twice);
  throw new Problem(400, 'invalid-query', `"${target}" is in the query twice. Send it once.`, { target });
}

function header({ headers }: HttpRequest, name: string): string | undefined {
  const value = headers.get(name);
  if (value === null) return undefined;
  const refused = (why: string): Problem => new Problem(400, 'invalid-header', why, { target: name });
  if (value === '') throw refused(`The header ${name} is empty. Give it a value, or leave it out.`);
  if (value.length <= maxHeaderLength) return value;
  throw refused(`The header ${name} has more than ${maxHeaderLength} characters. Send a shorter one.`);
}
