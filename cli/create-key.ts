/**
 * Makes an API key and prints it, once: `npm run create-key -- --name scanner-3 --role labeler --project digits --days 90`.
 * Also `--list`, `--rotate ID` (the old key works for a day more, or for `--overlap-seconds`) and `--revoke ID`.
 * With `--cosmos https://...` in that environment, as whoever is signed in with azd or the Azure CLI; without, with the
 * settings of a platform that runs, in the environment. Exit codes: 0 it is done; 1 it is not; 2 wrong arguments.
 */
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { table } from '../local/demo/table.ts';
import { isExpired, keyName, keyScope, roles } from '../shared/api/keys.ts';
import { RetryLater } from '../shared/errors.ts';
import { listKeys } from '../shared/key/list.ts';
import { createKey, type KeyPorts } from '../shared/key/create.ts';
import { revokeKey } from '../shared/key/revoke.ts';
import { rotateKey } from '../shared/key/rotate.ts';

const usage = `npm run create-key -- [--name TEXT] [--role ${roles.join('|')}] [--project NAME] [--days N] [--cosmos https://...]
   or: npm run create-key -- --list | --rotate ID [--overlap-seconds N] | --revoke ID`;
const by = 'create-key';
const dayMs = 86_400_000;
/** keys that a list shows */
const maxListed = 1000;

const id = z.string().regex(/^[0-9a-f]{64}$/, 'an id is 64 hex digits, as --list shows it');
const shape = z
  .object({
    name: keyName.optional(),
    role: z.enum(roles),
    project: keyScope,
    days: z.coerce.number().positive().max(3650).optional(),
    cosmos: z.url({ protocol: /^https$/ }).optional(),
    list: z.boolean(),
    rotate: id.optional(),
    'overlap-seconds': z.coerce.number().int().min(0).max(2_592_000).default(86_400),
    revoke: id.optional(),
  })
  .refine(({ list, rotate, revoke }) => Number(list) + Number(!!rotate) + Number(!!revoke) < 2, {
    error: 'one of --list, --rotate and --revoke at a time',
  });
type Asked = z.infer<typeof shape>;

function readArguments(): Asked {
  const { values } = parseArgs({
    options: {
      name: { type: 'string' },
      role: { type: 'string', default: 'operator' },
      project: { type: 'string', default: '*' },
      days: { type: 'string' },
      cosmos: { type: 'string' },
      list: { type: 'boolean', default: false },
      rotate: { type: 'string' },
      'overlap-seconds': { type: 'string' },
      revoke: { type: 'string' },
    },
  });
  const parsed = shape.safeParse(values);
  if (parsed.success) return parsed.data;
  throw new TypeError(z.prettifyError(parsed.error));
}

async function list(keys: KeyPorts): Promise<string> {
  const { items } = await listKeys(keys.documents, { limit: maxListed });
  const rows = items.map(({ document: key }) => [
    ...[key.name, key.role, key.project, key.createdAt.slice(0, 10), key.lastUsedOn ?? 'not known'],
    isExpired(key, keys.clock.now()) ? 'expired' : (key.expiresAt ?? 'never'),
    key.id,
  ]);
  return table(['name', 'role', 'project', 'made', 'last used', 'ends', 'id'], rows).join('\n');
}

/** Does what is asked; resolves with what is printed. */
async function act(asked: Asked): Promise<string> {
  // SDKs that take longer to load than a wrong argument takes to be refused
  const { openKeys } = await import('./keys.ts');
  const keys = openKeys(asked.cosmos);
  if (asked.list) return list(keys);
  if (asked.revoke !== undefined) {
    if (await revokeKey(keys, asked.revoke)) return 'Revoked: within half a minute nothing takes it any more.';
    throw new Error(`There is no key ${asked.revoke}: it was revoked, or never was. See --list.`);
  }
  if (asked.rotate !== undefined) {
    const found = await keys.documents.read('keys', asked.rotate, asked.rotate);
    const overlapSeconds = asked['overlap-seconds'];
    const made = found && (await rotateKey(keys, randomBytes(32), found.document, { overlapSeconds, by }));
    if (made) return made.key;
    throw new Error(`There is no key ${asked.rotate}: it was revoked, or never was. See --list.`);
  }
  const { role, project, days, name = `${role}-${randomBytes(3).toString('hex')}` } = asked;
  const expiry = days === undefined ? {} : { expiresAt: new Date(Date.now() + days * dayMs).toISOString() };
  return (await createKey(keys, randomBytes(32), { name, role, project, ...expiry }, by)).key;
}

function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof RetryLater)) return message;
  // a message would come again; this command does not
  return `${message.replace(/; it is tried again\.$/, '.')} Is what the settings name running? Ports may be others since.`;
}

async function main(): Promise<number> {
  let asked: Asked;
  try {
    asked = readArguments();
  } catch (error) {
    console.error(`Nothing was done. ${messageOf(error)}\nUsage: ${usage}`);
    return 2;
  }
  try {
    console.log(await act(asked));
    return 0;
  } catch (error) {
    const what = asked.list ? 'Keys were not listed' : asked.revoke ? 'The key was not revoked' : 'A key was not made';
    console.error(`${what}. ${messageOf(error)}`);
    return 1;
  }
}

// an open connection to the documents would keep it alive
process.exit(await main());
