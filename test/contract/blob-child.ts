/** A blob service in a process of its own, whose queue takes events and never answers: `node blob-child.ts DATADIR`. */
import { startBlob } from '../../local/blob/server.ts';

const service = await startBlob({
  port: 0,
  dataDir: process.argv[2] ?? '',
  eventsFor: { uploads: 'blob-created' },
  deliver: () => {
    console.log('delivering');
    return new Promise(() => undefined);
  },
});
console.log(service.connectionString);
