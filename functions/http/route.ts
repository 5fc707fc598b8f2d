/** What a route is: tables of routes make the registrations, and the OpenAPI document. */
import type * as z from 'zod';
import type { AnswerHeader } from '../../shared/api/headers.ts';
import type { FileKind } from '../../shared/api/openapi.ts';
import type { NamesIn } from '../../shared/api/parameters.ts';
import type { Cause } from '../../shared/delivery/message.ts';
import type { KeyDocument, Role } from '../../shared/key/document.ts';
import type { Ports } from '../../shared/ports.ts';
import type { Inference } from '../../shared/prediction/inference.ts';
import type { ScoreImage, ScorePorts } from '../../shared/prediction/score.ts';
import type { RateLimits } from '../../shared/rate-limit.ts';

/** What routes need of the outside. */
export interface HttpPorts extends Ports, Pick<Inference, 'toTensor' | 'sampleBytes'>, Pick<ScorePorts, 'inferPinned'> {
  score: ScoreImage;
  /** default: `defaultRateLimits` */
  rateLimits?: RateLimits;
  /** what links in answers begin with; never what a request says of its host, which anybody may choose */
  publicUrl?: string;
}

/** A request that may be handled: who sent it, and what it says, checked. */
export interface Call<B, Q, Name extends string = never> {
  /** what the names in the path are */
  params: Record<Name, string>;
  query: Q;
  body: B;
  /** bytes of the body, for routes that take an image */
  bytes: Buffer;
  /** the body while it comes, once, for routes that take a model; it ends with an error unless it is whole */
  stream: AsyncIterable<Uint8Array>;
  contentType: string | undefined;
  ifMatch: string | undefined;
  /** digest of the header Idempotency-Key and of who sent it */
  idempotencyKey: string | undefined;
  key: KeyDocument;
  /** name of the key, as the audit trail shows it */
  by: string;
  cause: Cause;
  /** what links begin with: the prefix of the surface, after the address that the settings say the API has, if they say one */
  base: string;
}

/** What a call is answered with, before it is HTTP: JSON, a text, bytes, or a stream. */
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
  /** unique in its surface; with the name of that the name of the function */
  name: string;
  method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  /**
   * Below the prefix of its surface; one that begins with a slash is the whole path. Names stand in braces; `project` is the
   * one that keys are for and limits count, so that it is called so in the paths of every surface.
   */
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
  takes?: 'image' | 'model';
  /** of successful answers, beside those of every answer */
  headers?: readonly AnswerHeader[];
  answers: Record<number, z.ZodType | FileKind>;
  /** what 200 is instead of its JSON, where the query's `render` asks for it */
  renders?: FileKind;
  /** whether the route compares `If-Match` */
  takesIfMatch?: 'optional' | 'required';
  handle: (ports: HttpPorts, call: Call<unknown, unknown, string>) => Promise<Answer>;
}

/** Which keys a route takes, by the project they are for. */
export const scopeOf = (route: Pick<Route, 'path' | 'scope'>): 'project' | 'all-projects' | 'any-key' =>
  route.path.includes('{project}') ? 'project' : (route.scope ?? 'all-projects');

/** Declares a route with the types of its path, query and body. */
export function route<B extends z.ZodType, Q extends z.ZodType, Path extends string>(
  declared: Omit<Route, 'handle' | 'body' | 'query' | 'path'> & {
    path: Path;
    body?: B;
    query?: Q;
    handle: (ports: HttpPorts, call: Call<z.output<B>, z.output<Q>, NamesIn<Path>>) => Promise<Answer>;
  },
): Route {
  return declared as Route;
}
