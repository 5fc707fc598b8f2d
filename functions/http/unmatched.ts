/** Paths that no route has, and methods that a path does not take. */
import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions';
import { Problem } from '../../shared/api/problem.ts';
import { echo } from './echo.ts';
import { renderAnswer, renderError } from './render.ts';
import { mounted, type Surface } from './surface.ts';

const patternOf = (path: string): RegExp =>
  new RegExp(`^${path.replaceAll('.', String.raw`\.`).replaceAll(/\{\w+\}/g, '[^/]+')}$`, 'i');

const liesBelow = (path: string, { prefix }: Surface): boolean =>
  `${path}/`.toLowerCase().startsWith(`${prefix}/`.toLowerCase());

/** The answer to a method that a path does not take: a 405 that says which it does. */
export function methodNotAllowed(method: string, path: string, taken: string[], { described }: Surface): Problem {
  const allow = taken.join(', ');
  const detail = `${echo(path) || '/'} takes ${allow}, not ${method}. See ${described} for what each does.`;
  return new Problem(405, 'method-not-allowed', detail, { target: 'method', headers: { allow } });
}

/**
 * Answers, for surfaces, a request that no route of theirs is for, in the language of the surface that has the path with
 * another method, or else of the one whose prefix says most of the path. The first has what lies below no prefix.
 */
export function createUnmatched(
  surfaces: readonly [Surface, ...Surface[]],
): (request: Pick<HttpRequest, 'method' | 'url'>, context: InvocationContext) => Promise<HttpResponseInit> {
  const patterns = surfaces
    .flatMap(mounted)
    .map(({ surface, path, route }) => ({ surface, pattern: patternOf(path), method: route.method }));
  const byPrefix = surfaces.toSorted((a, b) => b.prefix.length - a.prefix.length);
  return async ({ method, url }, context) => {
    const headers = { 'x-request-id': context.invocationId };
    const path = new URL(url).pathname.replace(/\/+$/, '');
    const found = patterns.filter(({ pattern }) => pattern.test(path));
    const surface = found[0]?.surface ?? byPrefix.find((one) => liesBelow(path, one)) ?? surfaces[0];
    try {
      const taken = new Set(found.filter((one) => one.surface === surface).map((one) => one.method));
      if (taken.size > 0) throw methodNotAllowed(method, path, [...taken], surface);
      return renderAnswer(surface.notFound(method, path), headers);
    } catch (error) {
      return renderError(surface, error, headers, context);
    }
  };
}
