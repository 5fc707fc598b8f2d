/** From one prediction back to the images behind it. */
import type { Client } from '../../client/client.ts';
import { getPrediction, type Prediction } from '../../client/endpoint.ts';
import { getSample } from '../../client/samples.ts';
import { getUpload } from '../../client/uploads.ts';
import type { Narrator } from './narrator.ts';
import type { Report } from './report.ts';

/** images that are followed back to their upload */
const shown = 3;

/** Tells what is behind a prediction. Throws when a link of the chain is missing. */
export async function traceBack(
  client: Client,
  narrator: Narrator,
  project: string,
  prediction: string,
): Promise<Report['lineage']> {
  const predicted = await getPrediction(client, project, prediction);
  const { model, training, datasetVersion, samples } = predicted.lineage;
  if (training === null) throw new Error(`Expected the training behind prediction ${prediction}; seen: none`);
  if (samples.length === 0) throw new Error(`Expected the samples behind prediction ${prediction}; seen: none`);
  const images = [];
  for (const { md5, label = '' } of samples.slice(0, shown)) {
    const { origin } = await getSample(client, project, md5);
    const { blob } = await getUpload(client, project, origin);
    images.push({ id: md5, label, upload: origin, blob });
  }
  const code = model.lineage.code === null ? '' : `, code ${model.lineage.code.replace('sha256:', '').slice(0, 12)}`;
  narrator.say(`prediction ${prediction}: ${said(predicted)}`);
  narrator.say(`  by model ${model.version} (${model.digest.slice(0, 12)})`);
  narrator.say(`  from training ${training.id} (${training.trainer.name}, seed ${training.seed}${code})`);
  narrator.say(
    `  on version ${datasetVersion.number} (${datasetVersion.id.slice(0, 12)}) with ${datasetVersion.samples} samples, among them`,
  );
  for (const { id, label, blob } of images)
    narrator.say(`    sample ${id}${label === '' ? '' : `, label "${label}"`}, uploaded as ${blob}`);
  return {
    prediction,
    model: model.version,
    training: training.id,
    seed: training.seed,
    datasetVersion: datasetVersion.number,
    sampleCount: datasetVersion.samples,
    samples: images,
  };
}

/** What a model answered, in few words. */
function said(predicted: Prediction): string {
  if ('boxes' in predicted) return (predicted.boxes ?? []).map((box) => box.class).join(', ') || 'no boxes';
  return `"${'class' in predicted ? (predicted.class ?? '') : ''}"`;
}
