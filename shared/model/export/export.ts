/** A model version with all that it takes to serve it elsewhere. */
import { TerminalError } from '../../errors.ts';
import { placementOf } from '../../image/placement.ts';
import type { Ports } from '../../ports.ts';
import type { Infer, Inference } from '../../prediction/inference.ts';
import { taskOf } from '../../task/task.ts';
import { loadModel, modelBlob } from '../artifact.ts';
import type { ModelDocument } from '../document.ts';
import { examplesOf } from './examples.ts';
import { goldenPicture, goldenSize } from './golden.ts';
import { readMeOf } from './read-me.ts';
import { type ArchivedFile, zipOf } from './zip.ts';

export interface ExportPorts extends Pick<Ports, 'blobs'>, Pick<Inference, 'toTensor'> {
  inferPinned: Infer;
}

/**
 * The archive of a model version, of which the model itself is passed on while it is read. Throws a TerminalError where it is
 * gone, and rejects with any Error where it cannot be run.
 */
export async function exportModel(ports: ExportPorts, model: ModelDocument): Promise<AsyncIterable<Buffer>> {
  const kind = taskOf(model);
  const { classes, image, number, digest, pk: project } = model;
  const input = await ports.toTensor(goldenPicture(), image);
  const golden = await goldenOf(ports, model, input);
  const stored = await ports.blobs.stream('models', modelBlob(project, digest));
  if (stored === undefined) throw missingArtifact();
  const { task, version, lineage, createdAt, metadata = {} } = model;
  const known = { project, model: number, digest, task, classes, image, metadata, version, lineage, createdAt };
  const texts: Record<string, string> = {
    'README.md': readMeOf(model, kind.ends(classes, image)),
    'model.json': `${JSON.stringify(known, null, 2)}\n`,
    'labels.txt': `${classes.join('\n')}\n`,
    'golden.json': `${JSON.stringify(golden)}\n`,
    ...examplesOf(kind.examples, project, number),
  };
  const files: ArchivedFile[] = [
    ...Object.entries(texts).map(([name, text]) => ({ name, content: [Buffer.from(text)] })),
    { name: 'golden.png', content: [goldenPicture()] },
    { name: 'golden.f32', content: [Buffer.from(input.buffer, input.byteOffset, input.byteLength)] },
    { name: 'model.onnx', content: stored.body },
  ];
  return zipOf(files, new Date(createdAt));
}

/** What the model answers to the golden input. */
async function goldenOf(
  { blobs, inferPinned }: ExportPorts,
  { pk, digest, classes, image, metadata = {}, ...model }: ModelDocument,
  input: Float32Array,
): Promise<object> {
  const kind = taskOf(model);
  const [outputs = {}] = await inferPinned(
    digest,
    () => loadModel(blobs, pk, digest),
    [input],
    kind.ends(classes, image),
  );
  const placement = placementOf(goldenSize, image);
  return {
    outputs: Object.fromEntries(
      Object.entries(outputs).map(([name, { data, dims }]) => [name, { dims: [1, ...dims], data: [...data] }]),
    ),
    prediction: kind.views.prediction(kind.decode({ outputs, classes, metadata, placement })),
  };
}

/** The error for a model whose bytes are gone. */
export function missingArtifact(): TerminalError {
  const detail =
    'The artifact of this model is not in the store: somebody deleted it. Restore the blob, or train again with the same version and seed, which gives the same bytes.';
  return new TerminalError('missing-artifact', detail);
}
