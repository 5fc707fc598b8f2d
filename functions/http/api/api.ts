/** The surface of operators and apps: the HTTP API itself. */
import { pathParameters } from '../../../shared/api/parameters.ts';
import { toProblemBody } from '../../../shared/api/problem.ts';
import type { Surface } from '../surface.ts';
import { descriptionRoutes, prefix } from './description.ts';
import { notFound } from './front-page.ts';
import { nouns } from './nouns.ts';

const bearer = /^Bearer (dk_.+)$/;

/** Errors are problem documents (RFC 9457), with Azure's code in the head. */
export const api: Surface = {
  name: 'api',
  prefix,
  routes: [...Object.values(nouns).flatMap(({ routes }) => routes), ...descriptionRoutes],
  parameters: pathParameters,
  described: '/api/openapi.json',
  credentials: {
    keyIn: (headers) => headers.get('x-api-key') ?? bearer.exec(headers.get('authorization') ?? '')?.[1],
    advice:
      'Send a valid API key in the header x-api-key. Make one where the settings of the platform are in the environment (set -a; . .darkroom/settings.env; set +a): npm run create-key -- --role operator. For one in Azure: npm run create-key -- --cosmos https://...',
    challenge: 'Bearer',
  },
  renderProblem: (problem, requestId) => ({
    status: problem.status,
    headers: { 'content-type': 'application/problem+json', 'x-ms-error-code': problem.code },
    json: toProblemBody(problem, requestId),
  }),
  notFound: (method, path) => notFound(method, path, api),
};
