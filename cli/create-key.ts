/**
 * Makes an API key and prints it, once: `node cli/create-key.ts --role operator --project '*' --name first`.
 * With `--cosmos https://...` in that environment, as whoever is signed in with azd or the Azure CLI; without, with the
 * settings of a platform in the environment.
 */
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { roles } from '../shared/api/keys.ts';
import { projectName } from '../shared/names.ts';
import { makeKey, openKeys } from './keys.ts';

const { values } = parseArgs({
  options: {
    role: { type: 'string', default: 'operator' },
    project: { type: 'string', default: '*' },
    name: { type: 'string', default: 'first' },
    cosmos: { type: 'string' },
  },
});
const shape = z.object({
  role: z.enum(roles),
  project: z.union([z.literal('*'), projectName]),
  name: z.string().min(1).max(100),
  cosmos: z.url({ protocol: /^https$/ }).optional(),
});
const parsed = shape.safeParse(values);
if (!parsed.success) {
  console.error(`A key was not made:\n${z.prettifyError(parsed.error)}`);
  process.exit(2);
}
const { cosmos, ...grant } = parsed.data;
console.log((await makeKey(openKeys(cosmos), grant)).key);
process.exit(0);
