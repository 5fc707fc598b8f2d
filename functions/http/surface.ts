/** What a surface is: routes that speak the language of one kind of clients. */
import type * as z from 'zod';
import { namesIn } from '../../shared/api/parameters.ts';
import type { Problem } from '../../shared/api/problem.ts';
import type { Answer, Route } from './route.ts';

/** Headers of a request, by their names in any case. */
export interface RequestHeaders {
  get(name: string): string | null;
}

/** How clients of a surface send their API key. */
export interface Credentials {
  /** the key as it was sent, whatever it is; undefined: none was */
  keyIn: (headers: RequestHeaders) => string | undefined;
  /** how to send one, in a sentence for who sent none that is known */
  advice: string;
  /** what `WWW-Authenticate` of a 401 says */
  challenge: string;
}

/** An error as HTTP. */
export interface RenderedProblem {
  status: number;
  headers: Record<string, string>;
  json: unknown;
}

/**
 * A surface is all that the pipeline knows of a wire protocol. One more is a value of its own, in a folder of its own,
 * and an entry in the list of `functions/triggers.ts`.
 */
export interface Surface {
  /** what the names of its functions begin with */
  name: string;
  /** what its paths begin with, without a slash at the end: `/api/v1`; empty for paths that begin anywhere */
  prefix: string;
  routes: readonly Route[];
  /** the schema of every name that stands in its paths */
  parameters: Readonly<Record<string, z.ZodType<string>>>;
  credentials: Credentials;
  /** where its routes are described, for people */
  described: string;
  /** An error as its clients understand it; the pipeline adds the headers that the problem itself brings. */
  renderProblem: (problem: Problem, requestId: string) => RenderedProblem;
  /** Answers a path below its prefix that none of its routes has, or throws a Problem. */
  notFound: (method: string, path: string) => Answer;
}

/** Where a name stands in a path: in which part, counted from 0, which is what stands before the first slash. */
interface PathName {
  name: string;
  part: number;
}

/** The whole path of a route. */
export const pathOf = (prefix: string, { path }: Pick<Route, 'path'>): string =>
  path.startsWith('/') ? path : `${prefix}/${path}`;

/** A route at its place. */
export interface MountedRoute {
  surface: Surface;
  route: Route;
  /** name of its function */
  name: string;
  /** whole path, with names in braces */
  path: string;
  names: readonly PathName[];
}

/** The routes of a surface at their places. Throws when a path has a name without a schema: it would not be checked. */
export const mounted = (surface: Surface): MountedRoute[] =>
  surface.routes.map((route) => {
    const path = pathOf(surface.prefix, route);
    const parts = path.split('/');
    const names = namesIn(path).map((name) => ({ name, part: parts.indexOf(`{${name}}`) }));
    const unknown = names.find(({ name }) => !Object.hasOwn(surface.parameters, name));
    if (unknown !== undefined) throw new Error(`the path ${path} has the name ${unknown.name}, which has no schema`);
    return { surface, route, path, names, name: `${surface.name}-${route.name}` };
  });
