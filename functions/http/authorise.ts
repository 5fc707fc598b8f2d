/** Whether a key may call a route. */
import { allows } from '../../shared/api/keys.ts';
import type { PathParameter } from '../../shared/api/parameters.ts';
import { Problem } from '../../shared/api/problem.ts';
import type { KeyDocument } from '../../shared/key/document.ts';
import { type Route, scopeOf } from './route.ts';

/** Throws a 403 where the role or the project of `key` does not reach. */
export function authorise(key: KeyDocument, declared: Route, params: Partial<Record<PathParameter, string>>): void {
  if (declared.role === 'open') return;
  const project = params.project;
  if (allows(key, declared.role, scopeOf(declared) === 'any-key' ? key.project : project)) return;
  const where = project === undefined ? '' : ` in project ${project}`;
  const detail = `This needs the role ${declared.role}${where}; the key "${key.name}" has ${key.role} in ${key.project}.`;
  throw new Problem(403, 'forbidden', detail);
}
