/** Makes a container, as the templates do in Azure: `node test/package/make-container.ts URL`, signed in. */
import { ContainerClient } from '@azure/storage-blob';
import { signedIn } from '../../shared/azure/person.ts';

await new ContainerClient(process.argv[2] ?? '', signedIn()).create();
