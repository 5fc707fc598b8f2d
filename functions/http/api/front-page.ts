/** What is where nothing is: the front page, which people find first, and paths that are none. */
import { Problem } from '../../../shared/api/problem.ts';
import { echo } from '../echo.ts';
import type { Answer } from '../route.ts';
import type { Surface } from '../surface.ts';
import { methodNotAllowed } from '../unmatched.ts';

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

/** Answers a path without a slash at its end that no route has. Throws a problem unless it is a front page. */
export function notFound(method: string, path: string, surface: Surface): Answer {
  if (frontPages.has(path)) {
    if (method !== 'GET') throw methodNotAllowed(method, path, ['GET'], surface);
    return { status: 200, json: frontPage };
  }
  const elsewhere = path.startsWith('/api/v1') ? '' : ' Paths of this API begin with /api/v1.';
  const detail = `There is nothing at ${method} ${echo(path)}.${elsewhere} GET /api/openapi.json lists all there is, with a key.`;
  throw new Problem(404, 'unknown-path', detail, { target: 'path' });
}
