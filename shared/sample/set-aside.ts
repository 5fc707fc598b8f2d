/**
 * Taking a sample that nobody can read out of what is trained on. A job says which it could not read; nothing leaves the
 * dataset on its word: the backend reads the sample itself, with the decode of evaluation and serving.
 */
import { createHash } from 'node:crypto';
import type { ProjectDocument } from '../project/document.ts';
import { RetryLater } from '../errors.ts';
import type { ImageSpec } from '../image/size.ts';
import type { Cause } from '../delivery/message.ts';
import { digestOf } from '../digest.ts';
import { update } from '../update.ts';
import type { Ports } from '../ports.ts';
import { taskOf } from '../task/task.ts';
import { createSampleBudget, type Inference, withSample } from '../prediction/inference.ts';
import { samplePartition } from './partition.ts';
import { stageSample } from '../dataset/stage-sample.ts';
import { storedName } from './content.ts';

export type ReadSamplePorts = Pick<Ports, 'blobs'> & Pick<Inference, 'toTensor' | 'sampleBytes'>;
export type SetAsidePorts = ReadSamplePorts & Pick<Ports, 'clock' | 'documents' | 'messages'>;

/** A machine that was short of memory for a moment must not cost a sample. */
const tries = 2;

/**
 * Why a sample cannot be made the input of a model, or undefined when it can. Rejects with RetryLater when this process is
 * overloaded, and with whatever storage that does not answer throws: that says nothing about the sample.
 */
export async function whyUnreadable(
  ports: ReadSamplePorts,
  project: string,
  md5: string,
  image: ImageSpec,
): Promise<string | undefined> {
  const reading = { blobs: ports.blobs, budget: ports.sampleBytes ?? createSampleBudget() };
  const why = await withSample(reading, { name: storedName(project, md5) }, async (bytes) => {
    const found = createHash('md5').update(bytes).digest('hex');
    if (found !== md5) return `its bytes were changed in the store: their MD5 is ${found} now`;
    for (let attempt = 1; ; attempt++) {
      try {
        await ports.toTensor(bytes, image);
        return '';
      } catch (error) {
        if (error instanceof RetryLater) throw error;
        if (attempt === tries) return error instanceof Error ? error.message.slice(0, 300) : 'it cannot be decoded';
      }
    }
  });
  if (why === undefined) return 'its bytes are not in the store';
  return why === '' ? undefined : why;
}

/**
 * Takes a sample that cannot be read out of the next version: it loses its annotation, waits for review with the reason, and
 * the feed tells it. False where the project has no such sample. Safe to repeat.
 */
export async function setAside(
  ports: SetAsidePorts,
  project: ProjectDocument,
  { md5, reason, training }: { md5: string; reason: string; training: string },
  cause: Cause,
): Promise<boolean> {
  const at = ports.clock.now().toISOString();
  const { stored } = await update(ports.documents, 'samples', samplePartition(project.id, md5), md5, (current) => {
    if (current === undefined || current.setAside !== undefined) return 'keep';
    const detail = `Training ${training} could not read it, and neither could the backend: ${reason}. Look at the picture; an annotation given by review brings it back.`;
    return {
      ...current,
      ...{ annotation: null, source: null, revision: current.revision + 1 },
      setAside: { code: 'unreadable', detail, annotation: current.annotation, training, at },
    };
  });
  const sample = stored?.document;
  if (sample?.setAside === undefined) return false;
  await stageSample(ports, sample, project.settings, cause);
  const was = sample.setAside.annotation;
  await ports.documents.create('events', {
    id: `e${digestOf(31, project.id, 'set-aside', md5, sample.setAside.training)}`,
    pk: project.id,
    type: 'sample.set-aside',
    subject: `samples/${md5}`,
    text: `Sample ${md5}${was === null ? '' : `, ${taskOf(project.settings).say(was)},`} was set aside: ${sample.setAside.detail}`,
    at: sample.setAside.at,
    cause: cause.id,
    by: null,
  });
  return true;
}
