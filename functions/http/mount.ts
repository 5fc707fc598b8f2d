/** Surfaces become functions: one for each route, so that telemetry and the portal know requests by their route. */
import type { app } from '@azure/functions';
import { createPipeline } from './pipeline.ts';
import type { HttpPorts } from './route.ts';
import { mounted, type Surface } from './surface.ts';
import { createUnmatched } from './unmatched.ts';

/** Registers the routes of surfaces with the Functions runtime. The first surface answers what lies below no prefix. */
export function mount(
  target: Pick<typeof app, 'http'>,
  ports: HttpPorts,
  surfaces: readonly [Surface, ...Surface[]],
): void {
  const handle = createPipeline(ports);
  const unmatched = createUnmatched(surfaces);
  // the least specific of all routes: asked where no other has this path and method
  target.http('unmatched', {
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
    route: '{*path}',
    authLevel: 'anonymous',
    handler: (request, context) => unmatched(request, context),
  });
  for (const route of surfaces.flatMap(mounted)) {
    target.http(route.name, {
      methods: [route.route.method],
      route: route.path.slice(1),
      authLevel: 'anonymous',
      handler: (request, context) => handle(route, request, context),
    });
  }
}
