/**
 * `npm run smoke -- --url URL --key KEY`: is this backend whole? Works against Azure as against `npm start`.
 * The key may come from DARKROOM_KEY; `--cosmos https://...` instead makes one in that environment, as whoever is signed
 * in with azd or the Azure CLI, and removes it again. `--ready-only` uploads nothing. Exit codes: 0 it is; 1 a step went wrong; 2 wrong arguments; 3 it cannot be
 * reached, or does not take the key.
 */
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { createClient, Refused } from '../client/client.ts';
import { createNarrator } from '../local/demo/narrator.ts';
import { type CreatedKey, createKey } from '../shared/key/create.ts';
import { revokeKey } from '../shared/key/revoke.ts';
import { smokeTest, untilReady } from './smoke-test.ts';

const usage =
  'npm run smoke -- --url https://HOST (--key dk_... | --cosmos https://...) [--ready-only] [--project smoke] [--minutes 30]';
const shape = z
  .object({
    url: z.url({ protocol: /^https?$/, error: 'an address like https://func-x.azurewebsites.net' }),
    key: z.string().startsWith('dk_', { error: 'an API key, which begins with dk_; or set DARKROOM_KEY' }).optional(),
    cosmos: z.url({ protocol: /^https$/ }).optional(),
    project: z.string(),
    minutes: z.coerce.number().min(1).max(600),
    'ready-only': z.boolean(),
  })
  .refine(({ key, cosmos }) => key !== undefined || cosmos !== undefined, {
    path: ['key'],
    error: 'an API key, which begins with dk_; or set DARKROOM_KEY',
  });
type Asked = z.infer<typeof shape>;

function readArguments(): Asked {
  const { values } = parseArgs({
    options: {
      url: { type: 'string' },
      key: { type: 'string' },
      cosmos: { type: 'string' },
      'ready-only': { type: 'boolean', default: false },
      project: { type: 'string', default: 'smoke' },
      minutes: { type: 'string', default: '30' },
    },
  });
  const key = values.key ?? (values.cosmos === undefined ? process.env['DARKROOM_KEY'] : undefined);
  const parsed = shape.safeParse({ ...values, key });
  if (parsed.success) return parsed.data;
  throw new TypeError(z.prettifyError(parsed.error));
}

/** Says what went wrong and which exit code stands for it: always 3 for a key that is refused. */
async function codeOf(work: () => Promise<unknown>, otherwise: number): Promise<number> {
  try {
    await work();
    return 0;
  } catch (error) {
    console.error(`\nThe smoke test failed. ${error instanceof Error ? error.message : String(error)}`);
    return error instanceof Refused && (error.status === 401 || error.status === 403) ? 3 : otherwise;
  }
}

/** The test with a key; resolves with the exit code. */
async function tryOut({ url, project, minutes, 'ready-only': readyOnly }: Asked, key: string): Promise<number> {
  const client = createClient(url.replace(/\/(api\/v1\/?)?$/, ''), key);
  const narrator = createNarrator(process.stdout);
  narrator.chapter('Is it there, and ready?');
  const unreachable = await codeOf(() => untilReady(client), 3);
  if (unreachable !== 0) return unreachable;
  if (readyOnly) {
    console.log('\nIt is there and ready; nothing was uploaded.');
    return 0;
  }
  const code = await codeOf(() => smokeTest(client, narrator, { project, trainingLimitSeconds: minutes * 60 }), 1);
  if (code === 0) console.log('\nThe smoke test passed: uploads become a model behind the endpoint.');
  return code;
}

/** The test with a key of its own, which is removed again. */
async function withOwnKey(cosmos: string, work: (key: string) => Promise<number>): Promise<number> {
  // SDKs that take longer to load than most of what this command is asked
  const { openKeys, rolesWorkWithinSeconds, untilAllowed } = await import('./keys.ts');
  const keys = openKeys(cosmos);
  const grant = { name: 'smoke test', role: 'operator', project: '*' } as const;
  const make = (): Promise<CreatedKey> => createKey(keys, randomBytes(32), grant, 'smoke');
  const { key, stored } = await untilAllowed(make, rolesWorkWithinSeconds, console.log);
  try {
    return await work(key);
  } finally {
    await revokeKey(keys, stored.document.id);
  }
}

async function main(): Promise<number> {
  let asked: Asked;
  try {
    asked = readArguments();
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\nUsage: ${usage}`);
    return 2;
  }
  const { key, cosmos } = asked;
  if (cosmos === undefined) return tryOut(asked, key ?? '');
  let code = 3;
  const made = await codeOf(async () => (code = await withOwnKey(cosmos, (own) => tryOut(asked, own))), 3);
  return made === 0 ? code : made;
}

// an open connection to the documents would keep it alive
process.exit(await main());
