/** Bodies that are JSON. */
import { Problem } from '../../shared/api/problem.ts';
import { withoutNulls } from '../../shared/api/merge-patch.ts';
import { echo } from './echo.ts';
import type { Route } from './route.ts';

/** The JSON of a body; undefined is an empty one. Of a patch null says something; anywhere else it says that a field is left out. */
export function jsonOf({ method }: Route, contentType: string | null, bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  assertJsonType(contentType);
  const json = parse(bytes);
  return method === 'PATCH' ? json : withoutNulls(json);
}

/** A form or a file that happens to look like JSON was meant for another place. */
function assertJsonType(contentType: string | null): void {
  if (/^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(contentType ?? '')) return;
  const given = contentType === null ? 'No content type was sent' : `${echo(contentType)} was sent`;
  const detail = `${given}, and this takes JSON. Send the header content-type: application/json with a JSON object as the body.`;
  throw new Problem(415, 'unsupported-type', detail, { target: 'content-type' });
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function parse(bytes: Buffer): unknown {
  try {
    // bytes that are no UTF-8 would become other characters in silence
    const text = utf8.decode(bytes);
    return mayNamePrototype.test(text) ? JSON.parse(text, refusePrototype) : JSON.parse(text);
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem(400, 'invalid-json', 'The body is not JSON. Send a JSON object in UTF-8.', { target: 'body' });
  }
}

/** The name itself, or characters of it that are escaped. */
const mayNamePrototype = /__proto__|\\u00/i;

/** JavaScript's objects do not keep a field of this name: it would be dropped in silence. */
function refusePrototype(name: string, value: unknown): unknown {
  if (name !== '__proto__') return value;
  const detail = 'A field of the body is called "__proto__", which is reserved. Call it something else.';
  throw new Problem(400, 'invalid-body', detail, { target: name });
}
