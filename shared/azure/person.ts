/** Azure as somebody at a keyboard or a pipeline: signed in with azd or with the Azure CLI, and with no key. */
import type { TokenCredential } from '@azure/core-auth';
import { CosmosClient } from '@azure/cosmos';
import { AzureCliCredential, AzureDeveloperCliCredential, ChainedTokenCredential } from '@azure/identity';
import type { Documents } from '../ports.ts';
import { databaseName } from '../resources.ts';
import { cosmosDocuments } from './documents.ts';

/** Whoever is signed in, with azd or else with the Azure CLI. */
export const signedIn = (): TokenCredential =>
  new ChainedTokenCredential(new AzureDeveloperCliCredential(), new AzureCliCredential());

/** The documents of an environment. The person needs a role on them (parameter `operators` of the templates). */
export function connectDocumentsAsPerson(endpoint: string): Documents {
  const connectionPolicy = { enableEndpointDiscovery: false };
  return cosmosDocuments(
    new CosmosClient({ endpoint, aadCredentials: signedIn(), connectionPolicy }).database(databaseName),
  );
}
