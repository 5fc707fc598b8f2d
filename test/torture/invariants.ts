/** I1 to I7 of a project at rest, read from the stores themselves. Every violation is a sentence. */
import { createHash } from 'node:crypto';
import { entries } from '../../shared/dataset/entries.ts';
import { storedName } from '../../shared/sample/content.ts';
import { treeStore } from '../../shared/dataset/store.ts';
import type { DocumentTypes } from '../../shared/document-types.ts';
import type { DocumentQuery, Ports } from '../../shared/ports.ts';
import type { HeadDocument, VersionDocument } from '../../shared/dataset/document.ts';
import type { DocumentContainer } from '../../shared/resources.ts';
import type { Ledger } from './load.ts';

const md5 = (bytes: Buffer): string => createHash('md5').update(bytes).digest('hex');
const terminal = new Set(['registered', 'rejected', 'failed', 'cancelled']);
const maxPages = 1000;

/** Every document of a container that the query names. */
export async function all<C extends DocumentContainer>(
  ports: Ports,
  container: C,
  which: Pick<DocumentQuery<C>, 'pk' | 'equals'>,
): Promise<DocumentTypes[C][]> {
  const found: DocumentTypes[C][] = [];
  let continuation: string | undefined;
  for (let page = 0; page < maxPages; page++) {
    const answer = await ports.documents.query(container, {
      ...which,
      limit: 1000,
      ...(continuation === undefined ? {} : { continuation }),
    });
    found.push(...answer.items.map(({ document }) => document));
    continuation = answer.continuation;
    if (continuation === undefined) break;
  }
  return found;
}

/** I1: every acknowledged upload has exactly one outcome, the right one, and what was accepted is in the head. */
async function uploads(ports: Ports, project: string, ledger: Ledger, inHead: Set<string>): Promise<string[]> {
  const said: string[] = [];
  const documents = await all(ports, 'uploads', { equals: { project } });
  const samples = new Map<string, { accepted: number; ids: Set<string | null> }>();
  for (const [blob, { bytes, odd }] of ledger.uploaded) {
    const [one, ...more] = documents.filter((document) => document.blob === blob);
    if (one === undefined || more.length > 0)
      said.push(`I1: ${blob} has ${one === undefined ? 0 : 1 + more.length} outcomes`);
    const right = odd ? ['quarantined'] : ['accepted', 'duplicate', 'conflict'];
    if (!right.includes(one?.status ?? '')) said.push(`I1: ${blob} ended ${one?.status}`);
    if (odd) continue;
    const known = samples.get(md5(bytes)) ?? { accepted: 0, ids: new Set() };
    samples.set(md5(bytes), known);
    known.ids.add(one?.sample ?? null);
    if (one?.status === 'accepted') known.accepted++;
  }
  const uploaded = new Set<string>();
  for (const [digest, { accepted, ids }] of samples) {
    const [id] = ids;
    if (accepted !== 1) said.push(`I1: the bytes ${digest} were accepted ${accepted} times`);
    if (typeof id !== 'string' || ids.size !== 1) said.push(`I1: the bytes ${digest} are ${ids.size} samples`);
    else if (inHead.has(id)) uploaded.add(id);
    else said.push(`I1: sample ${id} is in no version`);
  }
  for (const sample of inHead) if (!uploaded.has(sample)) said.push(`I1: nobody uploaded sample ${sample}`);
  return said;
}

/** I2 and I3: a linear history whose trees are whole and whose samples exist; returns the samples of the head too. */
async function history(ports: Ports, project: string, head: HeadDocument | undefined) {
  const said: string[] = [];
  const inHead = new Set<string>();
  const documents = new Map((await all(ports, 'versions', { pk: project })).map((one) => [one.id, one]));
  const store = treeStore(ports.blobs, project);
  let next = head?.head?.version ?? null;
  let number = head?.head?.number ?? 0;
  if (documents.size !== number) said.push(`I3: ${documents.size} versions are kept, the head is number ${number}`);
  for (; next !== null; number--) {
    const version: VersionDocument | undefined = documents.get(next);
    if (version === undefined || version.number !== number) {
      said.push(`I3: version ${number} (${next}) is ${version === undefined ? 'missing' : `number ${version.number}`}`);
      break;
    }
    let count = 0;
    for await (const { record } of entries(store, version.root)) {
      count++;
      if (version.id !== head?.head?.version) continue;
      if (inHead.has(record.md5)) said.push(`I2: sample ${record.md5} is in version ${number} twice`);
      inHead.add(record.md5);
      if (!(await ports.blobs.exists('datasets', storedName(project, record.md5))))
        said.push(`I2: version ${number} refers to the missing sample ${record.md5}`);
    }
    if (count !== version.samples)
      said.push(`I2: version ${number} says ${version.samples} samples and holds ${count}`);
    next = version.parent;
  }
  if (next === null && number !== 0) said.push(`I3: the history ends at version ${number + 1}`);
  return { said, inHead };
}

/** I4 and I5: runs are at rest; one model per run at most, each numbered once, and asked trainings are not forgotten. */
async function trainings(ports: Ports, project: string, ledger: Ledger): Promise<string[]> {
  const said: string[] = [];
  const runs = await all(ports, 'runs', { pk: project });
  const models = await all(ports, 'models', { pk: project });
  const byRun = new Map(runs.map((run) => [run.id, run]));
  for (const run of runs) if (!terminal.has(run.state)) said.push(`I5: run ${run.id} is still ${run.state}`);
  for (const [key, { id }] of ledger.trainings)
    if (!byRun.has(id)) {
      const scheduler = await ports.documents.read('schedulers', project, 'scheduler');
      const decided = scheduler?.document.decided.find((one) => one.run === id);
      if (decided?.decision !== 'coalesced')
        said.push(`I4: training ${id} (${key}) was promised and never became a run`);
    }
  const owners = models.map(({ run }) => run);
  for (const run of new Set(owners)) {
    const times = owners.filter((one) => one === run).length;
    if (times > 1) said.push(`I4: run ${run} registered ${times} models`);
    const state = byRun.get(run)?.state;
    if (state !== 'registered' && state !== 'rejected') said.push(`I4: a model of run ${run}, which is ${state}`);
  }
  const numbers = models.map(({ number }) => number).sort((a, b) => a - b);
  if (numbers.some((number, i) => number !== i + 1)) said.push(`I4: models are numbered ${numbers.join(', ')}`);
  for (const run of runs.filter(({ state }) => state === 'failed'))
    said.push(`I4: run ${run.id} failed: ${run.failure?.code} ${run.failure?.detail}`);
  return said;
}

/** I6: one production pointer, to an approved model whose bytes are those that were registered. */
async function endpoint(ports: Ports, project: string): Promise<string[]> {
  const said: string[] = [];
  const stored = await ports.documents.read('endpoints', project, 'endpoint');
  const production = stored?.document.production;
  if (production === undefined || production === null) return ['I6: nothing is live'];
  const models = await all(ports, 'models', { pk: project });
  const model = models.find(({ number }) => number === production.model);
  if (model?.state !== 'approved' || model.digest !== production.digest)
    said.push(`I6: live is model ${production.model}, which is ${model?.state ?? 'missing'}`);
  const artifact = await ports.blobs.get('models', `${project}/${production.digest}.onnx`, { maxBytes: 64 << 20 });
  const digest =
    artifact === undefined || artifact === 'too-large'
      ? 'missing'
      : createHash('sha256').update(artifact.body).digest('hex');
  if (digest !== production.digest) said.push(`I6: the bytes of the live model are ${digest}`);
  const flips = stored?.document.history.filter(({ state }) => state === 'live') ?? [];
  if (flips[0]?.deployment !== production.deployment)
    said.push(`I6: the history ends with ${flips[0]?.deployment}, live is ${production.deployment}`);
  return said;
}

/** Checks everything; an empty list means that nothing was lost and nothing doubled. */
export async function violations(ports: Ports, project: string, ledger: Ledger): Promise<string[]> {
  const head = (await ports.documents.read('heads', project, 'head'))?.document;
  const { said, inHead } = await history(ports, project, head);
  const stored = new Set((await all(ports, 'predictions', { equals: { project } })).map(({ id }) => id));
  const unstored = [...ledger.predictions].filter((id) => !stored.has(id));
  return [
    ...(await uploads(ports, project, ledger, inHead)),
    ...said,
    ...(await trainings(ports, project, ledger)),
    ...(await endpoint(ports, project)),
    ...unstored.map((id) => `I7: prediction ${id} was answered and is not kept`),
  ];
}

/** Counts that replaying a message may never change. */
export async function census(ports: Ports, project: string): Promise<Record<string, unknown>> {
  const endpointNow = (await ports.documents.read('endpoints', project, 'endpoint'))?.document;
  const states = (await all(ports, 'runs', { pk: project })).map(({ id, state }) => `${id} ${state}`).sort();
  return {
    uploads: (await all(ports, 'uploads', { equals: { project } }))
      .map(({ blob, status }) => `${blob} ${status}`)
      .sort(),
    head: (await ports.documents.read('heads', project, 'head'))?.document.head?.version,
    runs: states,
    models: (await all(ports, 'models', { pk: project })).length,
    production: endpointNow?.production,
  };
}
