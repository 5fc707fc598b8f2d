/** Makes an API key and prints it, once: `node cli/create-key.ts --role operator --project '*' --name first`. */
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { keyDocument, newKey, roles } from '../shared/api/keys.ts';
import { connect } from '../shared/azure/connect.ts';
import { readConfig } from '../shared/config.ts';
import { projectName } from '../shared/names.ts';

const { values } = parseArgs({
  options: {
    role: { type: 'string', default: 'operator' },
    project: { type: 'string', default: '*' },
    name: { type: 'string', default: 'first' },
  },
});
const parsed = z
  .object({ role: z.enum(roles), project: z.union([z.literal('*'), projectName]), name: z.string().min(1).max(100) })
  .safeParse(values);
if (!parsed.success) {
  console.error(`A key was not made:\n${z.prettifyError(parsed.error)}`);
  process.exit(2);
}
const key = newKey(randomBytes(32));
const ports = connect(readConfig(process.env));
const created = await ports.documents.create('keys', keyDocument(key, parsed.data, new Date().toISOString()));
if (created === 'exists') throw new Error('a key with this digest exists already');
console.log(key);
process.exit(0);
