/**
 * Makes an API key and prints it, once: `node cli/create-key.ts --role operator --project '*' --name first`.
 * With `--cosmos https://...` in that environment, as whoever is signed in with azd or the Azure CLI; without, with the
 * settings of a platform that runs, in the environment. Exit codes: 0 it is made; 1 it is not; 2 wrong arguments.
 */
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { roles } from '../shared/api/keys.ts';
import { RetryLater } from '../shared/errors.ts';
import { projectName } from '../shared/names.ts';
import { makeKey, openKeys } from './keys.ts';

const usage = `npm run create-key -- [--role ${roles.join('|')}] [--project NAME] [--name TEXT] [--cosmos https://...]`;
const shape = z.object({
  role: z.enum(roles),
  project: z.union([z.literal('*'), projectName]),
  name: z.string().min(1).max(100),
  cosmos: z.url({ protocol: /^https$/ }).optional(),
});

function readArguments(): z.infer<typeof shape> {
  const { values } = parseArgs({
    options: {
      role: { type: 'string', default: 'operator' },
      project: { type: 'string', default: '*' },
      name: { type: 'string', default: 'first' },
      cosmos: { type: 'string' },
    },
  });
  const parsed = shape.safeParse(values);
  if (parsed.success) return parsed.data;
  throw new TypeError(z.prettifyError(parsed.error));
}

function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof RetryLater)) return message;
  // a message would come again; this command does not
  return `${message.replace(/; it is tried again\.$/, '.')} Is what the settings name running? Ports may be others since.`;
}

async function main(): Promise<number> {
  let asked: z.infer<typeof shape>;
  try {
    asked = readArguments();
  } catch (error) {
    console.error(`A key was not made. ${messageOf(error)}\nUsage: ${usage}`);
    return 2;
  }
  const { cosmos, ...grant } = asked;
  try {
    console.log((await makeKey(openKeys(cosmos), grant)).key);
    return 0;
  } catch (error) {
    console.error(`A key was not made. ${messageOf(error)}`);
    return 1;
  }
}

// an open connection to the documents would keep it alive
process.exit(await main());
