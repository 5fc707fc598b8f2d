/** Uploads of the corpus: a blob with its name, type, metadata and bytes, handed to the real ingest. */
import { projectSettings } from '../../shared/project/settings.ts';
import { isBlobName } from '../simulation/blobs.ts';
import { createFakes, type Fakes } from '../simulation/fakes.ts';
import { labelIn } from '../shared/dataset/samples.ts';
import { project, tile } from './platform.ts';
import { type Stages, stagesOf } from './stages.ts';

export interface Upload {
  /** name of the blob; by default one that is right */
  blob?: string;
  bytes?: Buffer;
  contentType?: string;
  metadata?: Record<string, string>;
}

const container = '/blobServices/default/containers/uploads/blobs/';

/** A world with the project in it. */
export function uploadWorld(): { world: Fakes; stages: Stages } {
  const world = createFakes();
  const at = '2026-03-01T00:00:00.000Z';
  world.put('projects', {
    ...{ id: project, pk: 'projects', settings: projectSettings.parse({}), createdAt: at, updatedAt: at },
  });
  return { world, stages: stagesOf(world) };
}

let written = 0;

/** Writes the blob and delivers its event: outcome, and the reason or the label. */
export async function upload(
  { world, stages }: ReturnType<typeof uploadWorld>,
  { blob = `${project}/dark/case-${++written}.png`, bytes, contentType, metadata }: Upload,
): Promise<string> {
  const body = bytes ?? (await tile(++written % 256));
  await world.ports.blobs.remove('uploads', blob);
  // a name that storage does not take comes in an event alone
  if (isBlobName(blob))
    await world.ports.blobs.create('uploads', blob, body, {
      ...(contentType === undefined ? {} : { contentType }),
      ...(metadata === undefined ? {} : { metadata }),
    });
  const stored = await world.ports.blobs.get('uploads', blob, { maxBytes: 1e9 });
  const eTag = typeof stored === 'object' ? stored.etag : 'none';
  const outcome = await stages.deliver('blob-created', {
    ...{ specversion: '1.0', id: `event-${eTag}`, source: 'test', type: 'Microsoft.Storage.BlobCreated' },
    ...{ subject: `${container}${blob}`, time: '2026-03-02T00:00:00Z', data: { url: 'https://a/b', eTag } },
  });
  const record = world.all('uploads').find((one) => one.etag === eTag && one.blob === blob);
  const said = record?.reason?.code ?? labelIn(record);
  return said ? `${outcome} ${said}` : outcome;
}
