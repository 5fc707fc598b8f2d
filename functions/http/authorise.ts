/** Whether a key may call a route. */
import { allows } from '../../shared/api/keys.ts';
import { Problem } from '../../shared/api/problem.ts';
import type { KeyDocument } from '../../shared/key/document.ts';
import type { Params } from './path.ts';
import { type Route, scopeOf } from './route.ts';

/** Throws a 403 where the role or the project of `key` does not reach. */
export function authorise(key: KeyDocument, route: Route, params: Params): void {
  if (route.role === 'open') return;
  const project = params['project'];
  if (allows(key, route.role, scopeOf(route) === 'any-key' ? key.project : project)) return;
  const where = project === undefined ? '' : ` in project ${project}`;
  const detail = `This needs the role ${route.role}${where}; the key "${key.name}" has ${key.role} in ${key.project}.`;
  throw new Problem(403, 'forbidden', detail);
}
