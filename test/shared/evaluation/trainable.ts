/** A project with a dataset version in a small world, and the training stage at work in it. */
import { sweep } from '../../../shared/project/sweep.ts';
import { train } from '../../../functions/train.ts';
import { receiveReport } from '../../../shared/training/receive-report.ts';
import { applyEdits } from '../../../shared/dataset/edit.ts';
import { treeStore } from '../../../shared/dataset/store.ts';
import { versionId } from '../../../shared/dataset/version-id.ts';
import type { ProjectDocument } from '../../../shared/project/document.ts';
import type { RunDocument } from '../../../shared/training/document.ts';
import type { VersionSummary } from '../../../shared/dataset/document.ts';
import type { BlobCreatedEvent, Cause, queueMessages } from '../../../shared/delivery/message.ts';
import { projectSettings, type ProjectSettingsInput } from '../../../shared/project/settings.ts';
import { requestTraining } from '../../../shared/training/request.ts';
import type { TrainingInput } from '../../../shared/training/specify.ts';
import { keyOf, sample } from '../dataset/samples.ts';
import { createFakes, type Fakes } from '../../simulation/fakes.ts';
import type * as z from 'zod';

export const name = 'digits';
export const cause: Cause = { id: 'test' };

type Training = z.infer<(typeof queueMessages)['trainings']>;

/** Commits version `number` with this many samples. */
export async function commitVersion(world: Fakes, number: number, samples: number): Promise<VersionSummary> {
  const edits = Array.from({ length: samples }, (_, n) => ({ key: keyOf(n), record: sample(n) }));
  const { root, totals } = await applyEdits(treeStore(world.ports.blobs, name), null, edits, {
    task: 'classification',
  });
  const summary: VersionSummary = {
    task: 'classification',
    version: versionId({ root: root ?? '', parent: null, number }),
    number,
    root: root ?? '',
    parent: null,
    samples: totals.count,
    byClass: totals.byClass,
    bySplit: totals.bySplit,
    changes: { added: samples, removed: 0, relabelled: 0 },
    bytesWritten: 0,
    nodesWritten: 0,
    createdAt: world.ports.clock.now().toISOString(),
  };
  world.put('versions', { id: summary.version, pk: name, ...summary });
  world.put('heads', { id: 'head', pk: name, generation: number, head: summary, unfinished: false });
  return summary;
}

/** Makes the project with version 1. */
export async function trainable(settings: ProjectSettingsInput = {}) {
  const world = createFakes();
  const at = world.ports.clock.now().toISOString();
  const image = { width: 8, height: 8, channels: 1 as const };
  const project: ProjectDocument = {
    id: name,
    pk: 'projects',
    settings: projectSettings.parse({ image, ...settings }),
    createdAt: at,
    updatedAt: at,
  };
  world.put('projects', project);
  await commitVersion(world, 1, 60);
  let reports = 0;

  const deliver = (message: Training) => train(world.ports, message);
  const run = async (id: string): Promise<RunDocument> => {
    const found = await world.read('runs', name, id);
    if (found === undefined) throw new Error(`no run ${id}`);
    return found;
  };
  return {
    world,
    project,
    run,
    ask: (input: Partial<TrainingInput> = {}, by: Cause = cause) =>
      requestTraining(world.ports, project, { by: 'someone', kind: 'manual', ...input }, by),
    /** works off everything whose time comes within so many seconds; returns the outcomes */
    work: async (seconds = 0): Promise<string[]> => {
      const until = world.ports.clock.now().getTime() + seconds * 1000;
      const outcomes: string[] = [];
      for (let i = 0; i < 1000; i++) {
        const next = world.take({ queue: 'trainings', until });
        if (next === undefined) break;
        outcomes.push((await deliver(next.message as Training)).outcome);
      }
      world.pass((until - world.ports.clock.now().getTime()) / 1000);
      return outcomes;
    },
    /** a job creates a report; its event is delivered unless it is lost */
    report: async (
      id: string,
      token: string,
      content: { kind: string; sequence: number } & Record<string, unknown>,
      lost = false,
    ): Promise<string> => {
      const blob = `${name}/${id}/${token}/${String(content.sequence).padStart(6, '0')}.json`;
      const body = { at: '2020-01-01T00:00:00Z', execution: 'trainer-1', ...content };
      await world.ports.blobs.create('job-reports', blob, JSON.stringify(body));
      const event: BlobCreatedEvent = {
        specversion: '1.0',
        id: `event-${++reports}`,
        source: 'test',
        type: 'Microsoft.Storage.BlobCreated',
        subject: `/blobServices/default/containers/job-reports/blobs/${blob}`,
        data: { url: '', eTag: 'e' },
      };
      return lost ? 'lost' : (await receiveReport(world.ports, event)).outcome;
    },
    sweep: () => sweep(world.ports),
  };
}

const output = { sha256: 'a'.repeat(64), sizeBytes: 1 };
/** what a job says at its end */
export const succeeded = {
  kind: 'succeeded',
  outputs: { 'model.onnx': output, 'metrics.json': output, 'smoke.json': output },
};
