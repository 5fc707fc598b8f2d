/** The managed identity of this process. */
import type { TokenCredential } from '@azure/core-auth';
import { onFirstUse } from './on-first-use.ts';

/** Its credential (undefined: the only one there is). The SDK is loaded when the first token is asked for. */
export function managedIdentity(clientId: string | undefined): TokenCredential {
  const credential = onFirstUse(async () => {
    const { ManagedIdentityCredential } = await import('@azure/identity');
    return new ManagedIdentityCredential(clientId === undefined ? {} : { clientId });
  });
  return { getToken: async (...call) => (await credential()).getToken(...call) };
}
