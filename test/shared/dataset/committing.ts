/** Staging and committing in a small world, as ingest, reviews and the commit stage do it. */
import { createHash } from 'node:crypto';
import type * as z from 'zod';
import { commitWhenQuiet } from '../../../shared/dataset/commit-when-quiet.ts';
import { stageSample } from '../../../shared/dataset/stage-sample.ts';
import { treeStore } from '../../../shared/dataset/store.ts';
import { entries } from '../../../shared/dataset/entries.ts';
import type { ProjectDocument } from '../../../shared/project/document.ts';
import type { SampleDocument } from '../../../shared/sample/document.ts';
import type { Cause, commitDue } from '../../../shared/delivery/message.ts';
import { update } from '../../../shared/update.ts';
import { projectSettings, type ProjectSettingsInput } from '../../../shared/project/settings.ts';
import { samplePartition } from '../../../shared/sample/partition.ts';
import type { Sent, Fakes } from '../../simulation/fakes.ts';
import { labelOf } from './samples.ts';

export const name = 'digits';
export type CommitDue = z.infer<typeof commitDue>;

/** Puts a project there, with its commit settings. */
export function projectIn(world: Fakes, commit: ProjectSettingsInput['commit'] = {}): ProjectDocument {
  const project = {
    id: name,
    pk: 'projects',
    settings: projectSettings.parse({ commit }),
    createdAt: '',
    updatedAt: '',
  };
  world.put('projects', project);
  return project;
}

/** The nth sample of a project. */
export function sampleOf(n: number, label = 'a'): SampleDocument {
  const sha256 = createHash('sha256').update(String(n)).digest('hex');
  const id = sha256.slice(0, 32);
  return {
    ...{ id, pk: samplePartition(name, id), project: name, sha256, sizeBytes: 1, mediaType: 'image/png' },
    ...{
      width: 8,
      height: 8,
      channels: 1,
      annotation: { label },
      source: 'path',
      revision: 1,
      split: 'train',
      origin: `u${n}`,
    },
    ...{ conflicts: [], key: null, firstVersion: null, createdAt: '' },
  };
}

/** What ingest does with a new sample. */
export async function add(
  world: Fakes,
  project: ProjectDocument,
  n: number,
  cause: Cause = { id: `upload-${n}` },
): Promise<void> {
  const sample = sampleOf(n);
  await world.ports.documents.create('samples', sample);
  const current = await world.ports.documents.read('samples', sample.pk, sample.id);
  if (current !== undefined) await stageSample(world.ports, current.document, project.settings, cause);
}

/** What a review does. */
export async function relabel(world: Fakes, project: ProjectDocument, n: number, label: string): Promise<void> {
  const { pk, id } = sampleOf(n);
  const { stored } = await update(world.ports.documents, 'samples', pk, id, (s) =>
    s === undefined ? 'keep' : { ...s, annotation: { label }, source: 'review', revision: s.revision + 1 },
  );
  if (stored !== undefined)
    await stageSample(world.ports, stored.document, project.settings, { id: `review-${label}` });
}

/** Works off the looks whose time comes within so many seconds. */
export async function look(world: Fakes, seconds: number): Promise<string[]> {
  const until = world.ports.clock.now().getTime() + seconds * 1000;
  const outcomes: string[] = [];
  for (let i = 0; i < 1000; i++) {
    const next = world.take({ queue: 'dataset-commits', until });
    if (next === undefined) break;
    outcomes.push((await commitWhenQuiet(world.ports, next.message as CommitDue)).outcome);
  }
  world.pass((until - world.ports.clock.now().getTime()) / 1000);
  return outcomes;
}

/** Looks that are still to come. */
export const planned = (world: Fakes): Sent[] => world.sent.filter((s) => s.queue === 'dataset-commits');

/** Labels of the head's samples by id. */
export async function committed(world: Fakes): Promise<Map<string, string>> {
  const head = await world.read('heads', name, 'head');
  const labels = new Map<string, string>();
  for await (const { record } of entries(treeStore(world.ports.blobs, name), head?.head?.root ?? null))
    labels.set(record.md5, labelOf(record));
  return labels;
}
