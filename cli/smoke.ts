/**
 * `npm run smoke -- --url URL --key KEY`: is this backend whole? Works against Azure as against `npm start`.
 * The key may come from DARKROOM_KEY. Exit codes: 0 it is; 1 a step went wrong; 2 wrong arguments; 3 it cannot be
 * reached, or does not take the key.
 */
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { createClient, Refused } from '../local/demo/client.ts';
import { createNarrator } from '../local/demo/narrator.ts';
import { smokeTest, untilReady } from './smoke-test.ts';

const usage = 'npm run smoke -- --url https://HOST --key dk_... [--project smoke] [--minutes 30]';
const shape = z.object({
  url: z.url({ protocol: /^https?$/, error: 'an address like https://func-x.azurewebsites.net' }),
  key: z.string().startsWith('dk_', { error: 'an API key, which begins with dk_; or set DARKROOM_KEY' }),
  project: z.string(),
  minutes: z.coerce.number().min(1).max(600),
});

function readArguments(): z.infer<typeof shape> {
  const { values } = parseArgs({
    options: {
      url: { type: 'string' },
      key: { type: 'string' },
      project: { type: 'string', default: 'smoke' },
      minutes: { type: 'string', default: '30' },
    },
  });
  const parsed = shape.safeParse({ ...values, key: values.key ?? process.env['DARKROOM_KEY'] ?? '' });
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

async function main(): Promise<number> {
  let asked: z.infer<typeof shape>;
  try {
    asked = readArguments();
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\nUsage: ${usage}`);
    return 2;
  }
  const client = createClient(asked.url.replace(/\/(api\/v1\/?)?$/, ''), asked.key);
  const narrator = createNarrator(process.stdout);
  narrator.chapter('Is it there, and ready?');
  const unreachable = await codeOf(() => untilReady(client), 3);
  if (unreachable !== 0) return unreachable;
  const options = { project: asked.project, trainingLimitSeconds: asked.minutes * 60 };
  const code = await codeOf(() => smokeTest(client, narrator, options), 1);
  if (code === 0) console.log('\nThe smoke test passed: uploads become a model behind the endpoint.');
  return code;
}

process.exitCode = await main();
