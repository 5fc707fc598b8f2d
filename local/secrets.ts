/** The credentials of one platform's services: made up at its first start, kept in its data folder, readable by its owner. */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';

const keyBytes = 64;
const shape = z.object({
  /** base64, as storage accounts and Cosmos DB have them */
  blobKey: z.base64(),
  cosmosKey: z.base64(),
  /** any text: Service Bus signs with its UTF-8 bytes */
  serviceBusKey: z.string().min(32),
  /** the bearer token that the local ARM takes */
  armToken: z.string().min(32),
});
export type Secrets = z.infer<typeof shape>;

/** New credentials. */
function makeSecrets(): Secrets {
  const key = (): string => randomBytes(keyBytes).toString('base64');
  return {
    blobKey: key(),
    cosmosKey: key(),
    serviceBusKey: key(),
    armToken: randomBytes(keyBytes).toString('base64url'),
  };
}

/** Reads the credentials of a data folder, or makes them. Throws when the file is there and cannot be understood. */
export async function secretsOf(dataDir: string): Promise<Secrets> {
  const file = path.join(dataDir, 'secrets.json');
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text !== undefined) {
    const parsed = shape.safeParse(JSON.parse(text));
    if (parsed.success) return parsed.data;
    throw new Error(`${file} does not hold the credentials of the services: delete it, and new ones are made`);
  }
  const secrets = makeSecrets();
  await mkdir(dataDir, { recursive: true });
  await writeFile(file, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
  return secrets;
}
