/** API keys: who has one, what each may, and their ends. A key of one project sees and makes keys of that project. */
import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import { keyName, keyScope, roles } from '../../../shared/api/keys.ts';
import { keyView, madeKeyView, toKeyView } from '../../../shared/api/views/key.ts';
import { page } from '../../../shared/api/views/page.ts';
import { changeKey } from '../../../shared/key/change.ts';
import { type CreatedKey, createKey } from '../../../shared/key/create.ts';
import type { KeyDocument } from '../../../shared/key/document.ts';
import { findKey, unknownKey } from '../../../shared/key/find.ts';
import { listKeys } from '../../../shared/key/list.ts';
import { assertAhead, assertReaches } from '../../../shared/key/reach.ts';
import { revokeOtherKey } from '../../../shared/key/revoke.ts';
import { rotateKey } from '../../../shared/key/rotate.ts';
import type { Stored } from '../../../shared/ports.ts';
import { type Answer, type HttpPorts, route } from '../route.ts';
import { listQuery, pageOf } from './listing.ts';
import { readPage } from './pages.ts';

const maxOverlapSeconds = 30 * 86_400;
const defaultOverlapSeconds = 86_400;

const expiry = z.iso.datetime().describe('RFC 3339, in UTC; it must lie ahead');

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
        (batch) => listKeys(ports.documents, { project, ...batch }),
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
    handle: async (ports, call) => shown(ports, await findKey(ports, call.key, call.params.key)),
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
    async handle(ports, { key, params, body, ifMatch }) {
      return shown(ports, await changeKey(ports, { own: key, id: params.key, seen: ifMatch, change: body }));
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
      const { document: old } = await findKey(ports, call.key, call.params.key);
      const { overlapSeconds } = call.body;
      const made = await rotateKey(ports, randomBytes(32), old, { overlapSeconds, by: call.by });
      if (made === undefined) throw unknownKey(old.id);
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
    async handle(ports, { key, params }) {
      const { document } = await findKey(ports, key, params.key);
      await revokeOtherKey(ports, key, document.id);
      return { status: 200, json: toKeyView(document, ports.clock.now()) };
    },
  }),
];
