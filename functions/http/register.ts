/** The table of routes, and its registration. */
import type { app } from '@azure/functions';
import * as z from 'zod';
import { openApi } from '../../shared/api/openapi.ts';
import { deadLetterRoutes } from './api/dead-letters.ts';
import { datasetExportRoutes } from './api/export.ts';
import { endpointRoutes } from './api/endpoint.ts';
import { keyRoutes } from './api/keys.ts';
import { modelRoutes } from './api/models.ts';
import { operationRoutes } from './api/operations.ts';
import { projectRoutes } from './api/projects.ts';
import { type HttpPorts, type Route, route, scopeOf } from './route.ts';
import { repairRoutes } from './api/repair.ts';
import { answered, createRespond } from './respond.ts';
import { sampleRoutes } from './api/samples.ts';
import { createUnknown } from './unknown.ts';
import { trainingRoutes } from './api/trainings.ts';
import { uploadRoutes } from './api/uploads.ts';
import { versionRoutes } from './api/versions.ts';

/** Routes by what they are about, which is also their tag in the description. */
const tables: Record<string, { about: string; routes: Route[] }> = {
  projects: { about: 'One image task each: its settings, and how much there is of everything', routes: projectRoutes },
  uploads: { about: 'Addresses for files, and what became of each', routes: uploadRoutes },
  samples: { about: 'Accepted images and their labels', routes: sampleRoutes },
  versions: {
    about: 'Immutable snapshots of all labelled samples',
    routes: [...versionRoutes, ...datasetExportRoutes],
  },
  trainings: { about: 'Attempts to make a model of a version', routes: trainingRoutes },
  models: { about: 'The registry: metrics, verdict, approval, lineage', routes: modelRoutes },
  endpoint: { about: 'What is live, scoring, rolling back', routes: endpointRoutes },
  operations: { about: 'Activity and health', routes: operationRoutes },
  'dead-letters': { about: 'Messages that nobody could handle', routes: deadLetterRoutes },
  repair: { about: 'What is stuck or damaged, and mending it', routes: repairRoutes },
  keys: { about: 'Who may call this API', routes: keyRoutes },
};

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

const descriptionRoutes = [openApiRoute('openapi', 'openapi.json'), openApiRoute('openapi-v1', 'v1/openapi.json')];

/** Every route of the API. */
export const routes: Route[] = [...Object.values(tables).flatMap((table) => table.routes), ...descriptionRoutes];

let described: ReturnType<typeof openApi> | undefined;

/** The description of all of them, made when somebody asks for it first. */
export function description(): ReturnType<typeof openApi> {
  const ofTag = ([tag, table]: [string, { routes: Route[] }]) =>
    table.routes.map((one) => ({ ...one, tag, scope: scopeOf(one) }));
  const about = 'This description';
  const all = Object.entries({ ...tables, description: { about, routes: descriptionRoutes } });
  const tags = Object.fromEntries(all.map(([tag, table]) => [tag, table.about]));
  described ??= openApi(all.flatMap(ofTag), tags, '1');
  return described;
}

/** Registers the table with the Functions runtime. */
export function registerHttp(target: Pick<typeof app, 'http'>, ports: HttpPorts): void {
  const respond = createRespond(ports);
  const unknown = createUnknown(routes);
  // the least specific of all routes: asked where no other has this path and method
  target.http('http-unknown', {
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
    route: '{*path}',
    authLevel: 'anonymous',
    handler: (request, context) => answered(context, () => unknown(request)),
  });
  for (const declared of routes) {
    target.http(`http-${declared.name}`, {
      methods: [declared.method],
      route: `api/${declared.path}`,
      authLevel: 'anonymous',
      handler: (request, context) => respond(declared, request, context),
    });
  }
}
