/** The API's description of itself. */
import * as z from 'zod';
import { openApi } from '../../../shared/api/openapi.ts';
import { type Route, route, scopeOf } from '../route.ts';
import { pathOf } from '../surface.ts';
import { nouns } from './nouns.ts';

/** What the paths of the API begin with. */
export const prefix = '/api/v1';

const openApiRoute = (name: string, path: string): Route =>
  route({
    name,
    method: 'GET',
    path,
    role: 'viewer',
    scope: 'any-key',
    summary: 'This API as OpenAPI 3.1',
    answers: { 200: z.looseObject({ openapi: z.string() }) },
    handle: () => Promise.resolve({ status: 200, json: description() }),
  });

/** Where the description is: beside the API, where people look for it, and in it. */
export const descriptionRoutes = [
  openApiRoute('openapi', '/api/openapi.json'),
  openApiRoute('openapi-v1', 'openapi.json'),
];

let described: ReturnType<typeof openApi> | undefined;

/** The OpenAPI document of all routes, made when somebody asks for it first. */
export function description(): ReturnType<typeof openApi> {
  if (described !== undefined) return described;
  const all = Object.entries({ ...nouns, description: { about: 'This description', routes: descriptionRoutes } });
  const tags = Object.fromEntries(all.map(([tag, { about }]) => [tag, about]));
  const routes = all.flatMap(([tag, noun]) =>
    noun.routes.map((one) => ({ ...one, tag, scope: scopeOf(one), path: pathOf(prefix, one) })),
  );
  described = openApi(routes, tags, '1');
  return described;
}
