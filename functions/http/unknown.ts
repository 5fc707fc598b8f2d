/** What no route answers: the front page, paths that are none, and methods that a path does not take. */
import type { HttpRequest } from '@azure/functions';
import { Problem } from '../../shared/api/problem.ts';
import type { Answer, Route } from './route.ts';

/** Where people look first. */
const frontPages = new Set(['', '/api', '/api/v1']);

const frontPage = {
  name: 'Darkroom',
  about: 'An MLOps backend for image models: upload scans, get a live model. This address is its HTTP API.',
  api: '/api/v1',
  description: '/api/openapi.json',
  health: '/api/v1/health/live',
  authentication:
    'Send an API key in the header x-api-key. An operator makes one with POST /api/v1/keys, or with: npm run create-key',
  documentation:
    'README.md and the folder docs of the project; the description above has every operation with its shapes',
};

/** how much of a path an answer repeats */
const maxEcho = 200;

const patternOf = ({ path }: Route): RegExp =>
  new RegExp(`^/api/${path.replaceAll('.', String.raw`\.`).replaceAll(/\{\w+\}/g, '[^/]+')}$`, 'i');

/** Answers, for `routes`, a request that none of them is for. Throws a problem unless it asks for the front page. */
export function createUnknown(routes: readonly Route[]): (request: Pick<HttpRequest, 'method' | 'url'>) => Answer {
  const patterns = routes.map((route) => ({ pattern: patternOf(route), method: route.method }));
  return ({ method, url }) => {
    const path = new URL(url).pathname.replace(/\/+$/, '');
    const taken = [...new Set(patterns.filter(({ pattern }) => pattern.test(path)).map((one) => one.method))];
    if (taken.length > 0) throw notAllowed(method, path, taken);
    if (!frontPages.has(path)) throw notFound(method, path);
    if (method !== 'GET') throw notAllowed(method, path, ['GET']);
    return { status: 200, json: frontPage };
  };
}

function notAllowed(method: string, path: string, taken: string[]): Problem {
  const allow = taken.join(', ');
  const detail = `${path.slice(0, maxEcho) || '/'} takes ${allow}, not ${method}. See /api/openapi.json for what each does.`;
  return new Problem(405, 'method-not-allowed', detail, { target: 'method', headers: { allow } });
}

function notFound(method: string, path: string): Problem {
  const elsewhere = path.startsWith('/api/v1') ? '' : ' Paths of this API begin with /api/v1.';
  const detail = `There is nothing at ${method} ${path.slice(0, maxEcho)}.${elsewhere} GET /api/openapi.json lists all there is, with a key.`;
  return new Problem(404, 'unknown-path', detail, { target: 'path' });
}
