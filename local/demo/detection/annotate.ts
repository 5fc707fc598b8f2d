/** Boxes for uploads: neither a file's name nor its metadata has room for them, so they are given to the samples. */
import pMap from 'p-map';
import type { Client } from '../../../client/client.ts';
import { annotate } from '../../../client/samples.ts';
import { listUploads } from '../../../client/uploads.ts';
import type { Narrator } from '../narrator.ts';
import type { Scene } from './scenes.ts';

const atOnce = 8;

/** Gives the boxes of each scene to the sample that its blob became. Throws where a scene became none. */
export async function annotateScenes(
  client: Client,
  narrator: Narrator,
  project: string,
  scenes: { scene: Scene; blob: string }[],
): Promise<void> {
  const uploads = new Map((await listUploads(client, project)).map((upload) => [upload.blob, upload]));
  let done = 0;
  await pMap(
    scenes,
    async ({ scene, blob }) => {
      const upload = uploads.get(blob);
      if (upload?.sample == null)
        throw new Error(`Expected ${blob} to be a sample; seen: ${upload?.outcome ?? 'no upload'}`);
      await annotate(client, project, upload.sample, { boxes: scene.boxes });
      narrator.progress('annotating', (done += 1), scenes.length);
    },
    { concurrency: atOnce },
  );
}
