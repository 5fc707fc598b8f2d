/**
 * Signing with the key of an account, for machines without an identity. The SDKs make the key anew for every request, which
 * costs several times the signature itself; here it is made once.
 */
import { createHmac, createSecretKey } from 'node:crypto';
import type { TokenProvider } from '@azure/cosmos';
import { StorageSharedKeyCredential } from '@azure/storage-blob';

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

/** Signs requests to a storage account with a key in base64. */
export function storageSignature(account: string, key: string): StorageSharedKeyCredential {
  // the SDK hands its field to createHmac as it is, which takes either
  const secret = { accountKey: createSecretKey(key, 'base64') };
  return Object.assign(new StorageSharedKeyCredential(account, key), secret);
}
