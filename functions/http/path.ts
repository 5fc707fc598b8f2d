/** The names in a path, and what they are in a request. */
import { Problem } from '../../shared/api/problem.ts';
import { echo } from './echo.ts';
import type { MountedRoute } from './surface.ts';

/** names have 100 characters at most, of up to nine characters each when percent-encoded */
const maxPartLength = 900;

/** What the names of a path stand for, not checked yet. */
export type Params = Record<string, string>;

/** Only the names of the route: with streams, query values leak into the parameters. The host matches letters of any case. */
export function paramsOf({ names }: MountedRoute, { pathname }: URL): Params {
  const parts = pathname.split('/');
  return Object.fromEntries(names.map(({ name, part }) => [name, decode(parts[part] ?? '')]));
}

function decode(part: string): string {
  if (part.length > maxPartLength) {
    const detail = `A part of the path has more than ${maxPartLength} characters. No name or id here is that long.`;
    throw new Problem(400, 'invalid-path', detail);
  }
  try {
    return decodeURIComponent(part);
  } catch {
    const detail = `The part "${part.slice(0, 100)}" of the path is not percent-encoded text.`;
    throw new Problem(400, 'invalid-path', detail);
  }
}

/** Refuses what no project, upload, version, ... is called: stores answer an odd name with an error of their own, or not at all. */
export function assertParams({ surface }: MountedRoute, params: Params): void {
  for (const [name, value] of Object.entries(params)) {
    const parsed = surface.parameters[name]?.safeParse(value);
    if (parsed?.success === true) continue;
    const given = JSON.stringify(echo(value));
    const why = parsed?.error.issues[0]?.message ?? 'it is not one';
    throw new Problem(400, 'invalid-path', `${given} in the path is no ${name}: ${why}.`, { target: name });
  }
}
