/**
 * Signing with the key of a Cosmos DB account, for machines without an identity. The SDK makes the key anew for every request,
 * which costs several times the signature itself; here it is made once.
 */
import { createHmac, createSecretKey } from 'node:crypto';
import type { TokenProvider } from '@azure/cosmos';

/**
 * Signs requests to Cosmos DB with a key in base64
 * (https://learn.microsoft.com/rest/api/cosmos-db/access-control-on-cosmosdb-resources).
 */
export function cosmosSignature(key: string, now: () => Date): TokenProvider {
  const secret = createSecretKey(key, 'base64');
  return ({ verb, resourceType, resourceId, headers }) => {
    const date = now().toUTCString();
    headers['x-ms-date'] = date;
    const signed = `${verb}\n${resourceType}\n`.toLowerCase() + `${resourceId}\n${date.toLowerCase()}\n\n`;
    const signature = createHmac('sha256', secret).update(signed).digest('base64');
    return Promise.resolve(`type=master&ver=1.0&sig=${signature}`);
  };
}
