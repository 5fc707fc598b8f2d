/** API keys: who has one, what each may, and their ends. A key of one project sees and makes keys of that project. */
import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import { keyName, keyScope, roles } from '../../../shared/api/keys.ts';
import { Problem } from '../../../shared/api/problem.ts';
import { keyView, madeKeyView, toKeyView } from '../../../shared/api/views/key.ts';
import { page } from '../../../shared/api/views/page.ts';
import { type CreatedKey, createKey } from '../../../shared/key/create.ts';
import type { KeyDocument } from '../../../shared/key/document.ts';
import { listKeys } from '../../../shared/key/list.ts';
import { revokeKey } from '../../../shared/key/revoke.ts';
import { rotateKey } from '../../../shared/key/rotate.ts';
import type { Stored } from '../../../shared/ports.ts';
import { changed } from '../../../shared/precondition.ts';
import { type Answer, type HttpPorts, route } from '../route.ts';
import { listQuery, pageOf } from './listing.ts';
import { readPage } from './pages.ts';

const maxOverlapSeconds = 30 * 86_400;
const defaultOverlapSeconds = 86_400;

const expiry = z.iso.datetime().describe('RFC 3339, in UTC; it must lie ahead');

const unknown = (id: string): Problem => {
  const detail = `There is no key ${id} that this key may see: it was revoked, or never was. GET /api/v1/keys lists those there are.`;
  return new Problem(404, 'unknown-key', detail, { target: 'key' });
};

const reaches = (own: KeyDocument, project: string): boolean => own.project === '*' || own.project === project;

function assertReaches(own: KeyDocument, project: string): void {
  if (reaches(own, project)) return;
  const detail = `The key "${own.name}" is for ${own.project}, so it makes keys for that alone. Leave project out, or ask whoever has a key for all projects.`;
  throw new Problem(403, 'forbidden', detail, { target: 'project' });
}

function assertAhead(expiresAt: string | null | undefined, now: Date): void {
  if (!expiresAt || Date.parse(expiresAt) > now.getTime()) return;
  const detail = `expiresAt lies in the past; now it is ${now.toISOString()}. Name a later time, or revoke the key.`;
  throw new Problem(400, 'invalid-body', detail, { target: 'expiresAt' });
}

async function keyOf(
  ports: HttpPorts,
  { key, params }: { key: KeyDocument; params: { key: string } },
): Promise<Stored<KeyDocument>> {
  const found = await ports.documents.read('keys', params.key, params.key);
  if (found === undefined || !reaches(key, found.document.project)) throw unknown(params.key);
  return found;
}

const shown = (ports: HttpPorts, { document, etag }: Stored<KeyDocument>): Answer => ({
  status: 200,
  json: toKeyView(document, ports.clock.now()),
  headers: { etag },
});

const shownOnce = (ports: HttpPorts, base: string, { key, stored }: CreatedKey): Answer => ({
  status: 201,
  json: { ...toKeyView(stored.document, ports.clock.now()), key },
  // nothing between here and the client keeps it
  headers: { etag: stored.etag, location: `${base}/keys/${stored.document.id}`, 'cache-control': 'no-store' },
});

export const keyRoutes = [
  route({
    name: 'keys-list',
    method: 'GET',
    path: 'keys',
    role: 'operator',
    scope: 'any-key',
    summary: 'API keys, newest first: those of the project that the key is for, or of all',
    query: z.strictObject({ ...listQuery, project: keyScope.optional() }),
    answers: { 200: page(keyView) },
    async handle(ports, call) {
      const { project: wanted } = call.query;
      const project = call.key.project === '*' ? wanted : call.key.project;
      if (wanted !== undefined) assertReaches(call.key, wanted);
      const now = ports.clock.now();
      const { value, continuation } = await readPage(
        call.query,
        (look) => listKeys(ports.documents, { project, ...look }),
        (documents) => documents.map((document) => toKeyView(document, now)),
      );
      return pageOf(call, '/keys', call.query, value, continuation);
    },
  }),
  route({
    name: 'keys-post',
    method: 'POST',
    path: 'keys',
    role: 'operator',
    scope: 'any-key',
    summary:
      'Make a key; it is shown in this answer alone. When the answer is lost, revoke what the list shows and ask again',
    body: z
      .strictObject({
        name: keyName.describe('who or what it is for, as the audit trail will show it'),
        role: z.enum(roles),
        project: keyScope.optional().describe('left out: what the calling key is for'),
        expiresAt: expiry.optional(),
      })
      .meta({ examples: [{ name: 'scanner 3', role: 'labeler', project: 'digits' }] }),
    headers: ['ETag', 'Location'],
    answers: { 201: madeKeyView },
    async handle(ports, call) {
      const { name, role, project = call.key.project, expiresAt } = call.body;
      assertReaches(call.key, project);
      assertAhead(expiresAt, ports.clock.now());
      const grant = { name, role, project, ...(expiresAt === undefined ? {} : { expiresAt }) };
      return shownOnce(ports, call.base, await createKey(ports, randomBytes(32), grant, call.by));
    },
  }),
  route({
    name: 'keys-get',
    method: 'GET',
    path: 'keys/{key}',
    role: 'operator',
    scope: 'any-key',
    summary: 'One key, by the sha-256 of it',
    headers: ['ETag'],
    answers: { 200: keyView },
    handle: async (ports, call) => shown(ports, await keyOf(ports, call)),
  }),
  route({
    name: 'keys-patch',
    method: 'PATCH',
    path: 'keys/{key}',
    role: 'operator',
    scope: 'any-key',
    summary: 'Name a key, limit it to a project, or set when it ends (null: never); what is left out stays',
    takesIfMatch: 'optional',
    body: z
      .strictObject({
        name: keyName.optional(),
        project: keyScope.optional(),
        expiresAt: expiry.nullable().optional(),
      })
      .meta({ examples: [{ name: 'scanner 3', expiresAt: null }] }),
    headers: ['ETag'],
    answers: { 200: keyView },
    async handle(ports, call) {
      const stored = await keyOf(ports, call);
      const { name = stored.document.name, project = stored.document.project, expiresAt } = call.body;
      assertReaches(call.key, project);
      assertAhead(expiresAt, ports.clock.now());
      if (call.ifMatch !== undefined && call.ifMatch !== '*' && call.ifMatch !== stored.etag) throw changed();
      const { expiresAt: before, ...rest } = { ...stored.document, name, project };
      const after = expiresAt === undefined ? before : (expiresAt ?? undefined);
      const document = { ...rest, ...(after === undefined ? {} : { expiresAt: after }) };
      const saved = await ports.documents.replace('keys', document, stored.etag);
      if (saved === 'changed') throw changed();
      return shown(ports, saved);
    },
  }),
  route({
    name: 'keys-rotate',
    method: 'POST',
    path: 'keys/{key}/rotate',
    role: 'operator',
    scope: 'any-key',
    summary: 'Make a key that may the same, for the same holder and as long; the old one works on for `overlapSeconds`',
    body: z
      .strictObject({ overlapSeconds: z.int().min(0).max(maxOverlapSeconds).default(defaultOverlapSeconds) })
      .prefault({})
      .meta({ examples: [{ overlapSeconds: 3600 }] }),
    headers: ['ETag', 'Location'],
    answers: { 201: madeKeyView },
    async handle(ports, call) {
      const { document: old } = await keyOf(ports, call);
      const { overlapSeconds } = call.body;
      const made = await rotateKey(ports, randomBytes(32), old, { overlapSeconds, by: call.by });
      if (made === undefined) throw unknown(old.id);
      return shownOnce(ports, call.base, made);
    },
  }),
  route({
    name: 'keys-delete',
    method: 'DELETE',
    path: 'keys/{key}',
    role: 'operator',
    scope: 'any-key',
    summary: 'Revoke a key: within half a minute every instance refuses it',
    answers: { 200: keyView },
    async handle(ports, call) {
      const { document } = await keyOf(ports, call);
      if (document.id === call.key.id) {
        const detail =
          'A key does not revoke itself, so that nobody locks themselves out. Rotate it, or use another operator key.';
        throw new Problem(409, 'own-key', detail, { target: 'key' });
      }
      if (!(await revokeKey(ports, document.id))) throw unknown(document.id);
      return { status: 200, json: toKeyView(document, ports.clock.now()) };
    },
  }),
];
