/** Keys at the routes, with a clock that is set. */
import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions';
import { expect, test } from 'vitest';
import { registerHttp } from '../../../functions/http/register.ts';
import { keyDocument, newKey } from '../../../shared/api/keys.ts';
import { createWorld } from '../../shared/world.ts';

type Handler = (request: HttpRequest, context: InvocationContext) => Promise<HttpResponseInit>;

test('a revoked key is refused half a minute later at the latest, one that was never used at once', async () => {
  const world = createWorld();
  const handlers = new Map<string, Handler>();
  registerHttp(
    { http: (name, { handler }) => void handlers.set(name, handler as unknown as Handler) },
    { ...world.ports, score: () => Promise.reject(new Error('nothing is scored here')) },
  );
  const list = async (key: string): Promise<number | undefined> => {
    const request = { url: 'http://a/api/v1/projects', headers: new Headers({ 'x-api-key': key }), body: null };
    const context = { invocationId: 'i' } as InvocationContext;
    return (await handlers.get('http-projects-list')?.(request as unknown as HttpRequest, context))?.status;
  };
  const [used, unused] = [1, 2].map((n) => newKey(Buffer.alloc(32, n))) as [string, string];
  const grant = { name: 'k', role: 'viewer' as const, project: '*' };
  const documents = [used, unused].map((key) => keyDocument(key, grant, world.ports.clock.now().toISOString()));
  for (const document of documents) world.put('keys', document);
  expect(await list(used)).toBe(200);
  for (const { pk, id } of documents) await world.ports.documents.remove('keys', pk, id);
  expect(await list(unused)).toBe(401);
  expect(await list(used)).toBe(200);
  world.pass(30);
  expect(await list(used)).toBe(401);
});
