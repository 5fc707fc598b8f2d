/** What must never be, at no moment: looked at with every change of a document. */
import type { EndpointDocument } from '../../shared/endpoint/document.ts';
import type { HeadDocument } from '../../shared/dataset/document.ts';
import type { ModelDocument } from '../../shared/model/document.ts';
import type { RunDocument } from '../../shared/training/document.ts';
import type { SampleDocument } from '../../shared/sample/document.ts';
import type { UploadDocument } from '../../shared/upload/document.ts';
import { isOpen, type RunState } from '../../shared/training/run.ts';
import type { BlobStore } from './blobs.ts';
import type { OnChange } from './documents.ts';

interface Watch {
  say: (problem: string) => void;
  /** true time, ms since 1970 */
  now: () => number;
  blobs: BlobStore;
  /** the token that an execution was started with */
  tokenOf: (execution: string) => string | undefined;
  /** all clocks agree, so that waiting times can be judged */
  steady: () => boolean;
}

const rank: Record<RunState, number> = {
  queued: 0,
  submitted: 1,
  running: 2,
  evaluating: 3,
  registered: 4,
  rejected: 4,
  failed: 4,
  cancelled: 4,
};
/** first backoff of a retry is 5 s, then 20 s, 80 s, 320 s, in the end a quarter of an hour */
const backoffMs = (attempt: number): number => Math.min(5000 * 4 ** (attempt - 1), 900_000);

/** Watches every change. */
export function createMonitor(watch: Watch): OnChange {
  const runs = createRunWatch(watch);
  return (container, before, after) => {
    if (container === 'heads') head(watch, before as HeadDocument | undefined, after as HeadDocument | undefined);
    else if (container === 'runs') runs(before as RunDocument | undefined, after as RunDocument | undefined);
    else if (container === 'endpoints')
      endpoint(watch, before as EndpointDocument | undefined, after as EndpointDocument | undefined);
    else if (container === 'uploads')
      upload(watch, before as UploadDocument | undefined, after as UploadDocument | undefined);
    else if (container === 'samples')
      sample(watch, before as SampleDocument | undefined, after as SampleDocument | undefined);
    else if (container === 'models')
      model(watch, before as ModelDocument | undefined, after as ModelDocument | undefined);
  };
}

/** I3: each head follows the one before it. */
function head({ say }: Watch, before: HeadDocument | undefined, after: HeadDocument | undefined): void {
  if (after === undefined) return say(`I3: the head of ${before?.pk} was removed`);
  if (after.generation < (before?.generation ?? 0)) say(`I3: the commit generation of ${after.pk} went back`);
  if (after.head === null || after.head.version === before?.head?.version) return;
  if (after.head.parent !== (before?.head?.version ?? null) || after.head.number !== (before?.head?.number ?? 0) + 1)
    say(`I3: version ${after.head.number} of ${after.pk} does not follow version ${before?.head?.number ?? 0}`);
}

/** I4 and I5: runs only move forward, one at a time, and wait their backoff. */
function createRunWatch({ say, now, steady, tokenOf }: Watch) {
  const busy = new Map<string, string>();
  const freed = new Map<string, { at: number; attempt: number }>();
  return (before: RunDocument | undefined, after: RunDocument | undefined): void => {
    if (after === undefined) return say(`I5: run ${before?.id} was removed`);
    const { id, pk, state } = after;
    const was = before?.state ?? 'queued';
    if (!isOpen(was) && state !== was) say(`I5: run ${id} had ended as ${was} and became ${state}`);
    const retried = state === 'queued' && after.attempts.at(-1)?.attempt !== before?.attempts.at(-1)?.attempt;
    if (rank[state] < rank[was] && !retried) say(`I5: run ${id} went back from ${was} to ${state}`);
    if (after.attempt < (before?.attempt ?? 0)) say(`I5: the attempt of run ${id} went back`);
    if (before?.boundTo && after.boundTo !== before.boundTo && after.token === before.token)
      say(`I4: attempt ${after.attempt} of run ${id} moved from ${before.boundTo} to ${after.boundTo}`);
    if (after.boundTo !== null && tokenOf(after.boundTo) !== after.token)
      say(`I5: attempt ${after.attempt} of run ${id} is bound to ${after.boundTo}, the execution of another attempt`);
    if (before?.model && after.model !== before.model)
      say(`I4: run ${id} made model ${before.model}, then ${after.model}`);
    if (retried) freed.set(id, { at: Date.parse(after.attempts.at(-1)?.endedAt ?? ''), attempt: after.attempt });
    const waited = freed.get(id);
    if (state === 'submitted' && was === 'queued' && waited !== undefined) {
      if (steady() && now() - waited.at < backoffMs(waited.attempt) * 0.9)
        say(`I4: attempt ${after.attempt} of run ${id} began ${Math.round(now() - waited.at)} ms after the one before`);
    }
    const active = state === 'submitted' || state === 'running' || state === 'evaluating';
    const other = busy.get(pk);
    if (active && other !== undefined && other !== id) say(`I4: runs ${other} and ${id} of ${pk} are active at once`);
    if (active) busy.set(pk, id);
    else if (other === id) busy.delete(pk);
  };
}

/** I6: one production pointer, flipped in one write that keeps the one before, to a model whose bytes are there. */
function endpoint(
  { say, blobs }: Watch,
  before: EndpointDocument | undefined,
  after: EndpointDocument | undefined,
): void {
  if (after === undefined) return say(`I6: the endpoint of ${before?.pk} was removed`);
  const { pk, production } = after;
  if (before?.production?.deployment === production?.deployment) return;
  if (production === null) return say(`I6: nothing is live in ${pk} any more`);
  if (after.revision !== (before?.revision ?? 0) + 1) say(`I6: the live model of ${pk} changed without a new revision`);
  const rolledBack = rolledBackIn(after);
  const newest = after.history.find(({ deployment }) => deployment === before?.production?.deployment);
  const kept = newest?.state === 'rolled-back' || after.previous?.deployment === before?.production?.deployment;
  if (before?.production && !kept)
    say(`I6: the model that was live before ${production.deployment} is not kept for a rollback`);
  if (rolledBack.has(production.digest)) say(`I6: live in ${pk} is model ${production.model}, which was rolled back`);
  if (after.previous !== null && rolledBack.has(after.previous.digest))
    say(`I6: a rollback of ${pk} would lead to model ${after.previous.model}, which was rolled back`);
  if (blobs.peek('models', `${pk}/${production.digest}.onnx`) === undefined)
    say(`I6: live in ${pk} is model ${production.model}, whose bytes are missing`);
}

/** Digests that were rolled back and not deployed since: what a rollback makes live again was deployed before. */
function rolledBackIn({ history }: EndpointDocument): Set<string> {
  const rolledBack = new Set<string>();
  for (const { digest, state, reason } of history.toReversed()) {
    if (state === 'rolled-back') rolledBack.add(digest);
    else if (state === 'live' && !reason.startsWith('rollback: ')) rolledBack.delete(digest);
  }
  return rolledBack;
}

/** I1: an outcome is final. */
function upload({ say }: Watch, before: UploadDocument | undefined, after: UploadDocument | undefined): void {
  if (before === undefined || before.status === 'received') return;
  if (after?.status !== before.status) say(`I1: upload ${before.id} was ${before.status} and became ${after?.status}`);
}

/** What a sample is never changes. */
function sample({ say }: Watch, before: SampleDocument | undefined, after: SampleDocument | undefined): void {
  if (before === undefined) return;
  if (after === undefined) return say(`I1: sample ${before.id} was removed`);
  const kept = ['sha256', 'pixelDigest', 'split', 'origin', 'project', 'createdAt'] as const;
  for (const field of kept) if (after[field] !== before[field]) say(`I2: the ${field} of sample ${before.id} changed`);
  if (before.key !== null && after.key !== before.key) say(`I2: sample ${before.id} moved to another key`);
  if (after.revision < before.revision) say(`I3: the revision of sample ${before.id} went back`);
}

/** A registered model is what it is; only its state is decided once more. */
function model({ say }: Watch, before: ModelDocument | undefined, after: ModelDocument | undefined): void {
  if (before === undefined) return;
  if (after?.digest !== before.digest || after.run !== before.run) say(`I4: model ${before.number} changed`);
  if (before.state !== 'candidate' && after?.state === 'candidate')
    say(`I5: model ${before.number} is a candidate again`);
}
