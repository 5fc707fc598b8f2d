/** An API key as the API shows it: everything but the key itself. */
import * as z from 'zod';
import type { KeyDocument } from '../../key/document.ts';
import { isExpired, roles } from '../keys.ts';
import { time } from './page.ts';

export const keyView = z.object({
  id: z.string().describe('sha-256 of the key, in hex'),
  name: z.string(),
  role: z.enum(roles),
  project: z.string().describe('name of a project, or `*` for all'),
  state: z.enum(['active', 'expired']),
  createdAt: time,
  createdBy: z.string().nullable().describe('who made it; null: not recorded'),
  expiresAt: time.nullable().describe('null: it works until it is revoked'),
  lastUsedOn: z.iso.date().nullable().describe('UTC day of its last use; null: none is known'),
  replacedBy: z.string().nullable().describe('id of the key that it was rotated to'),
});

/** A key as the API shows it. */
export const toKeyView = (key: KeyDocument, now: Date): z.infer<typeof keyView> => {
  const { id, name, role, project, createdAt } = key;
  const { createdBy = null, expiresAt = null, lastUsedOn = null, replacedBy = null } = key;
  const state = isExpired(key, now) ? ('expired' as const) : ('active' as const);
  return { id, name, role, project, state, createdAt, createdBy, expiresAt, lastUsedOn, replacedBy };
};

/** A key that was just made. */
export const madeKeyView = keyView.extend({
  key: z.string().describe('the key itself, shown this once: send it in the header x-api-key'),
});
