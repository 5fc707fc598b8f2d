/** What a request says: path, query, headers and body, each within its limits. */
import type { HttpRequest, InvocationContext } from '@azure/functions';
import * as z from 'zod';
import { withoutNulls } from '../../shared/api/merge-patch.ts';
import { parametersOf, type PathParameter, pathParameters } from '../../shared/api/parameters.ts';
import { holderOf } from '../../shared/api/keys.ts';
import { Problem } from '../../shared/api/problem.ts';
import type { KeyDocument } from '../../shared/key/document.ts';
import { digestOf } from '../../shared/digest.ts';
import { type BodyLimits, readBody } from './body.ts';
import { assertDigest } from './digest.ts';
import type { Call, Route } from './route.ts';

const maxJsonBytes = 512 * 1024;
const maxImageBytes = 50 * 1024 * 1024;
/** names have 100 characters at most, of up to nine characters each when percent-encoded */
const maxSegmentLength = 900;
/** how much of what is wrong an answer repeats */
const maxEcho = 200;
/** how many invalid fields an answer lists */
const maxDetails = 20;

type PathValues = Partial<Record<PathParameter, string>>;

/** Only the names of the route: with streams, query values leak into the parameters. The host matches letters of any case. */
export function paramsOf(declared: Route, request: HttpRequest): PathValues {
  const segments = new URL(request.url).pathname.replace(/^\/api\//i, '').split('/');
  const pattern = declared.path.split('/');
  const names = parametersOf(declared.path);
  return Object.fromEntries(names.map((name) => [name, decode(segments[pattern.indexOf(`{${name}}`)] ?? '')]));
}

function decode(segment: string): string {
  if (segment.length > maxSegmentLength) {
    const detail = `A part of the path has more than ${maxSegmentLength} characters. No name or id here is that long.`;
    throw new Problem(400, 'invalid-path', detail);
  }
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new Problem(
      400,
      'invalid-path',
      `The part "${segment.slice(0, 100)}" of the path is not percent-encoded text.`,
    );
  }
}

/** Refuses what no project, upload, version, ... is called: stores answer an odd name with an error of their own, or not at all. */
function assertNames(params: PathValues): void {
  for (const [name, value] of Object.entries(params)) {
    const parsed = pathParameters[name as PathParameter].safeParse(value);
    if (parsed.success) continue;
    const given = JSON.stringify(value.slice(0, maxEcho));
    const why = parsed.error.issues[0]?.message ?? 'it is not one';
    throw new Problem(400, 'invalid-path', `${given} in the path is no ${name}: ${why}.`, { target: name });
  }
}

/** Reads a call, and refuses it with the part that is wrong. */
export async function readCall(
  declared: Route,
  request: HttpRequest,
  context: InvocationContext,
  { params, key, limits, base }: { params: PathValues; key: KeyDocument; limits: BodyLimits; base: string },
): Promise<Call<unknown, unknown, string>> {
  assertNames(params);
  const bytes = declared.method === 'GET' ? Buffer.alloc(0) : await bytesOf(declared, request, limits);
  const url = new URL(request.url);
  const traceparent = context.traceContext?.traceParent ?? request.headers.get('traceparent') ?? undefined;
  const sent = header(request, 'idempotency-key');
  // what two operators happen to call the same are two requests; a key that was rotated is the same operator's
  const idempotencyKey = sent === undefined ? undefined : digestOf(40, holderOf(key), sent);
  return {
    params,
    query: parse(declared.query ?? z.strictObject({}), queryOf(url), 'query'),
    body:
      declared.takes === 'image' || declared.method === 'GET'
        ? undefined
        : parse(declared.body ?? z.strictObject({}).optional(), bodyOf(declared, request, bytes), 'body'),
    bytes,
    contentType: header(request, 'content-type')?.split(';')[0]?.trim().toLowerCase(),
    ifMatch: header(request, 'if-match'),
    idempotencyKey,
    key,
    by: key.name,
    cause: {
      id: idempotencyKey === undefined ? `http-${context.invocationId}` : `http-${declared.name}-${idempotencyKey}`,
      ...(traceparent === undefined ? {} : { traceparent }),
    },
    base: `${base}/api/v1`,
  };
}

/** The body as it was sent: nothing here is decompressed, so that a few bytes never become many. */
async function bytesOf(declared: Route, { headers, body }: HttpRequest, limits: BodyLimits): Promise<Buffer> {
  const encoding = headers.get('content-encoding') ?? 'identity';
  if (encoding.toLowerCase() !== 'identity') {
    const detail = `Bodies in the content encoding "${encoding.slice(0, maxEcho)}" are not taken. Send it without one.`;
    const accepted = { 'accept-encoding': 'identity' };
    throw new Problem(415, 'unsupported-encoding', detail, { target: 'Content-Encoding', headers: accepted });
  }
  if (declared.takes === 'image') assertNoForm(headers.get('content-type'));
  const chunks = body as unknown as AsyncIterable<Uint8Array> | null;
  const bytes = await readBody(chunks, declared.takes === 'image' ? maxImageBytes : maxJsonBytes, limits);
  assertDigest(headers, bytes);
  return bytes;
}

/** A form wraps what it carries. */
function assertNoForm(contentType: string | null): void {
  if (contentType === null || !/^multipart\//i.test(contentType)) return;
  const detail =
    'A form was sent, and this takes the bytes of one image as the whole body. With curl: --data-binary @scan.png instead of -F.';
  throw new Problem(415, 'unsupported-type', detail, { target: 'content-type' });
}

/** One text per name: of two values nobody could say which one counts. */
function queryOf({ searchParams }: URL): Record<string, string> {
  const names = [...searchParams.keys()];
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice === undefined) return Object.fromEntries(searchParams);
  const target = twice.slice(0, maxEcho);
  throw new Problem(400, 'invalid-query', `"${target}" is in the query twice. Send it once.`, { target });
}

function header(request: HttpRequest, name: string): string | undefined {
  const value = request.headers.get(name);
  if (value === null) return undefined;
  if (value === '') {
    const detail = `The header ${name} is empty. Give it a value, or leave it out.`;
    throw new Problem(400, 'invalid-header', detail, { target: name });
  }
  if (value.length > 200)
    throw new Problem(400, 'invalid-header', `The header ${name} has more than 200 characters. Send a shorter one.`, {
      target: name,
    });
  return value;
}

/** The JSON of a body. Of a patch null says something; anywhere else it says that a field is left out. */
function bodyOf({ method }: Route, request: HttpRequest, bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  assertJsonType(request.headers.get('content-type'));
  const json = toJson(bytes);
  return method === 'PATCH' ? json : withoutNulls(json);
}

/** A form or a file that happens to look like JSON was meant for another place. */
function assertJsonType(contentType: string | null): void {
  if (/^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(contentType ?? '')) return;
  const given = contentType === null ? 'No content type was sent' : `${contentType.slice(0, maxEcho)} was sent`;
  const detail = `${given}, and this takes JSON. Send the header content-type: application/json with a JSON object as the body.`;
  throw new Problem(415, 'unsupported-type', detail, { target: 'content-type' });
}

function toJson(bytes: Buffer): unknown {
  try {
    // bytes that are no UTF-8 would become other characters in silence
    const text = utf8.decode(bytes);
    return mayNamePrototype.test(text) ? JSON.parse(text, refusePrototype) : JSON.parse(text);
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem(400, 'invalid-json', 'The body is not JSON. Send a JSON object in UTF-8.', { target: 'body' });
  }
}

/** The name itself, or characters of it that are escaped. */
const mayNamePrototype = /__proto__|\\u00/i;

/** JavaScript's objects do not keep a field of this name: it would be dropped in silence. */
function refusePrototype(name: string, value: unknown): unknown {
  if (name !== '__proto__') return value;
  const detail = 'A field of the body is called "__proto__", which is reserved. Call it something else.';
  throw new Problem(400, 'invalid-body', detail, { target: name });
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** What a query or body means, or every field of it that is not valid. */
function parse(type: z.ZodType, value: unknown, where: 'body' | 'query'): unknown {
  const parsed = type.safeParse(value);
  if (parsed.success) return parsed.data;
  const code = `invalid-${where}`;
  const found = parsed.error.issues.slice(0, maxDetails).map((issue) => {
    const named = issue.path.join('.') || (issue.code === 'unrecognized_keys' ? issue.keys.join(', ') : where);
    return { code, message: issue.message.slice(0, maxEcho), target: named.slice(0, maxEcho) };
  });
  const { target = where, message = 'not understood' } = found[0] ?? {};
  const others = found.length === 1 ? '' : ` So are ${found.length - 1} more: see error.details.`;
  const detail = `"${target}" in the ${where} is not valid: ${message}.${others} See /api/openapi.json for what is expected.`;
  throw new Problem(400, code, detail, { target, ...(others === '' ? {} : { details: found }) });
}
