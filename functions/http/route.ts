/** What a route is: the table of routes makes both the registrations and the OpenAPI document. */
import type * as z from 'zod';
import type { AnswerHeader } from '../../shared/api/headers.ts';
import type { FileKind } from '../../shared/api/openapi.ts';
import type { ParametersOf } from '../../shared/api/parameters.ts';
import { Problem } from '../../shared/api/problem.ts';
import type { KeyDocument, Role } from '../../shared/key/document.ts';
import type { ProjectDocument } from '../../shared/project/document.ts';
import type { Cause } from '../../shared/delivery/message.ts';
import type { Ports, Stored } from '../../shared/ports.ts';
import type { RateLimits } from '../../shared/rate-limit.ts';
import type { Inference } from '../../shared/prediction/inference.ts';
import type { ScoreImage } from '../../shared/prediction/score.ts';

export interface HttpPorts extends Ports, Pick<Inference, 'toTensor' | 'sampleBytes'> {
  score: ScoreImage;
  /** default: `defaultRateLimits` */
  rateLimits?: RateLimits;
  /** what links in answers begin with; never what a request says of its host, which anybody may choose */
  publicUrl?: string;
}

export interface Call<B, Q, Name extends string = never> {
  /** what the names in the path are, checked */
  params: Record<Name, string>;
  query: Q;
  body: B;
  /** bytes of the body, for routes that take an image */
  bytes: Buffer;
  contentType: string | undefined;
  ifMatch: string | undefined;
  /** digest of the header Idempotency-Key and of who sent it */
  idempotencyKey: string | undefined;
  key: KeyDocument;
  /** name of the key, as the audit trail shows it */
  by: string;
  cause: Cause;
  /** what links begin with: `/api/v1`, after the address that the settings say the API has, if they say one */
  base: string;
}

export interface Answer {
  status: number;
  json?: unknown;
  text?: string;
  bytes?: Buffer;
  stream?: AsyncIterable<Buffer | string>;
  contentType?: string;
  headers?: Record<string, string>;
}

export interface Route {
  /** function name */
  name: string;
  method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  /** after `/api/` */
  path: string;
  role: Role | 'open';
  /**
   * Which keys may call a route that names no project: any, since it shows each key its own, or by default only those of
   * all projects.
   */
  scope?: 'any-key';
  summary: string;
  body?: z.ZodType;
  query?: z.ZodType;
  takes?: 'image';
  /** of successful answers, beside those of every answer */
  headers?: readonly AnswerHeader[];
  answers: Record<number, z.ZodType | FileKind>;
  /** whether the route compares `If-Match` */
  takesIfMatch?: 'optional' | 'required';
  handle: (ports: HttpPorts, call: Call<unknown, unknown, string>) => Promise<Answer>;
}

/** Which keys a route takes, by the project they are for. */
export const scopeOf = (declared: Pick<Route, 'path' | 'scope'>): 'project' | 'all-projects' | 'any-key' =>
  declared.path.includes('{project}') ? 'project' : (declared.scope ?? 'all-projects');

/** Declares a route with the types of its path, query and body. */
export function route<B extends z.ZodType, Q extends z.ZodType, Path extends string>(
  declared: Omit<Route, 'handle' | 'body' | 'query' | 'path'> & {
    path: Path;
    body?: B;
    query?: Q;
    handle: (ports: HttpPorts, call: Call<z.output<B>, z.output<Q>, ParametersOf<Path>>) => Promise<Answer>;
  },
): Route {
  return declared as Route;
}

/** Reads the project of a call. */
export async function projectOf(
  ports: HttpPorts,
  call: { params: { project: string } },
): Promise<Stored<ProjectDocument>> {
  const name = call.params.project;
  const found = await ports.documents.read('projects', 'projects', name);
  if (found !== undefined) return found;
  throw new Problem(
    404,
    'unknown-project',
    `There is no project "${name}". Create it with PUT /api/v1/projects/${name}.`,
    { target: 'project' },
  );
}

/** If-Match is asked for where two people might act at once. */
export function requireMatch(call: { ifMatch: string | undefined }, etag: string): void {
  if (call.ifMatch === undefined) {
    throw new Problem(
      428,
      'precondition-required',
      'Send If-Match with the ETag that you read (GET it first), so that nobody overwrites what they have not seen.',
      { target: 'If-Match' },
    );
  }
  if (call.ifMatch !== etag && call.ifMatch !== '*') throw changed();
}

export const changed = (): Problem =>
  new Problem(412, 'precondition-failed', 'It changed since you read it. Read it again and decide anew.', {
    target: 'If-Match',
  });

/** One page of a listing, with a link to the next. */
export function pageOf(
  call: { base: string },
  path: string,
  query: Record<string, string | number | undefined>,
  value: unknown[],
  continuation: string | undefined,
): Answer {
  return { status: 200, json: { value, ...linkTo(call, path, query, continuation) } };
}

/** The link to the page that follows; nothing when there is none. */
export function linkTo(
  call: { base: string },
  path: string,
  query: Record<string, string | number | undefined>,
  continuation: string | undefined,
): { nextLink?: string } {
  if (continuation === undefined) return {};
  const next = new URLSearchParams();
  for (const [key, v] of Object.entries(query)) if (v !== undefined && key !== 'continuation') next.set(key, String(v));
  next.set('continuation', Buffer.from(continuation).toString('base64url'));
  return { nextLink: `${call.base}${path}?${next.toString()}` };
}

/** A continuation as it came in a link. */
export function continuationOf(query: { continuation?: string | undefined }): { continuation?: string } {
  if (query.continuation === undefined) return {};
  const continuation = Buffer.from(query.continuation, 'base64url').toString('utf8');
  if (/^[\x20-\x7e]+$/.test(continuation)) return { continuation };
  throw new Problem(
    400,
    'invalid-continuation',
    'This continuation was not given by a listing. Begin at the first page.',
    {
      target: 'continuation',
    },
  );
}
