/** The table of routes, and its registration. */
import type { app } from '@azure/functions';
import * as z from 'zod';
import { openApi } from '../../shared/api/openapi.ts';
import { deadLetterRoutes } from './dead-letters.ts';
import { datasetExportRoutes } from './dvc.ts';
import { endpointRoutes } from './endpoint.ts';
import { keyRoutes } from './keys.ts';
import { modelRoutes } from './models.ts';
import { operationRoutes } from './operations.ts';
import { projectRoutes } from './projects.ts';
import { type HttpPorts, type Route, route, scopeOf } from './route.ts';
import { repairRoutes } from './repair.ts';
import { createRespond } from './respond.ts';
import { sampleRoutes } from './samples.ts';
import { trainingRoutes } from './trainings.ts';
import { uploadRoutes } from './uploads.ts';
import { versionRoutes } from './versions.ts';

const domainRoutes: Route[] = [
  ...projectRoutes,
  ...uploadRoutes,
  ...sampleRoutes,
  ...versionRoutes,
  ...datasetExportRoutes,
  ...trainingRoutes,
  ...modelRoutes,
  ...endpointRoutes,
  ...operationRoutes,
  ...deadLetterRoutes,
  ...repairRoutes,
  ...keyRoutes,
];

const openApiRoute = (name: string, path: string): Route =>
  route({
    name,
    method: 'GET',
    path,
    role: 'viewer',
    scope: 'any-key',
    summary: 'This API as OpenAPI 3.1',
    answers: { 200: z.looseObject({ openapi: z.string() }) },
    handle: () => Promise.resolve({ status: 200, json: openApi(described, '1') }),
  });

/** Every route of the API. */
export const routes: Route[] = [
  ...domainRoutes,
  openApiRoute('openapi', 'openapi.json'),
  openApiRoute('openapi-v1', 'v1/openapi.json'),
];

const described = routes.map((one) => ({ ...one, scope: scopeOf(one) }));

/** Registers the table with the Functions runtime. */
export function registerHttp(target: Pick<typeof app, 'http'>, ports: HttpPorts): void {
  const respond = createRespond(ports);
  for (const declared of routes) {
    target.http(`http-${declared.name}`, {
      methods: [declared.method],
      route: declared.path,
      authLevel: 'anonymous',
      handler: (request, context) => respond(declared, request, context),
    });
  }
}
