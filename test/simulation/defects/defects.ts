/** Deliberate defects: each breaks a promise that the handlers keep, and the simulator has to notice. */

export interface Defect {
  name: string;
  /** what a hurried programmer might have thought */
  excuse: string;
  /** source, below the root of the project */
  file: string;
  /** texts that each stand exactly once in the source, and what takes their place */
  edits: readonly (readonly [find: string, replacement: string])[];
  /** a seed that shows it */
  seed: number;
}

export const defects: readonly Defect[] = [
  {
    name: 'no etag on replace',
    excuse: 'nobody else writes this document',
    file: 'shared/update.ts',
    edits: [
      [
        '    const next = change(current?.document);',
        '    const next = change(current?.document);\n    const newest = (await documents.read(container, pk, id))?.etag;',
      ],
      [
        'documents.replace(container, next, current.etag)',
        'documents.replace(container, next, newest ?? current.etag)',
      ],
    ],
    seed: 100_013,
  },
  {
    name: 'no outbox',
    excuse: 'the messages are sent right after the document is saved',
    file: 'shared/delivery/send-outbox.ts',
    edits: [
      [
        '  for (const group of groupByQueue(outbox)) await',
        '  await ports.documents.replace(container, { ...stored.document, outbox: [] }, stored.etag);\n  for (const group of groupByQueue(outbox)) await',
      ],
    ],
    seed: 100_004,
  },
  {
    name: 'acknowledged before it is saved',
    excuse: 'the queue is drained faster',
    file: 'functions/consume.ts',
    edits: [
      [
        'record(await handle(traceparent === undefined ? message : { ...message, traceparent }));',
        'void handle(traceparent === undefined ? message : { ...message, traceparent }).catch(() => undefined);',
      ],
    ],
    seed: 100_001,
  },
  {
    name: 'append that is not idempotent',
    excuse: 'what is committed was not there before',
    file: 'shared/dataset/write-version.ts',
    edits: [['key: sample.key ?? sampleKey(number, sample.id)', 'key: sampleKey(number, sample.id)']],
    seed: 100_001,
  },
  {
    name: 'execution token not checked',
    excuse: 'a run has one job',
    file: 'shared/training/transition.ts',
    edits: [
      [
        "      if (event.token !== run.token) return fenced(run, event.token);\n      if (run.state === 'evaluating')",
        "      if (run.state === 'evaluating')",
      ],
      [
        '  if (event.token !== run.token) return fenced(run, event.token);\n  if (run.boundTo !== null)',
        '  if (run.boundTo !== null)',
      ],
    ],
    seed: 100_642,
  },
  {
    name: 'alias flipped in two writes',
    excuse: 'the old model is taken down before the new one goes up',
    file: 'shared/endpoint/apply.ts',
    edits: [
      [
        '  if (etag === undefined) {',
        "  if (etag === undefined) {\n    if (event.kind === 'deploy')\n      await update(ports.documents, 'endpoints', project, 'endpoint', (c) => c === undefined || c.handled.includes(event.target.deployment) ? 'keep' : { ...c, production: null });",
      ],
    ],
    seed: 100_002,
  },
  {
    name: 'dead letters not replayed',
    excuse: 'somebody will look at them',
    file: 'shared/delivery/replay-dead-letters.ts',
    edits: [['    await ports.messages.send(queue, [message]);\n', '']],
    seed: 100_002,
  },
  {
    name: 'generation advanced after listing',
    excuse: 'a window ends when its samples are committed',
    file: 'shared/dataset/commit-window.ts',
    edits: [
      [
        '  await readHead(documents, project.id);\n',
        '  await readHead(documents, project.id);\n  const result = await commit(ports, project, cause);\n',
      ],
      ['  const result = await commit(ports, project, cause);\n  if (result.more)', '  if (result.more)'],
    ],
    seed: 100_547,
  },
  {
    name: 'lost start call not looked for',
    excuse: 'whoever made the call will get its answer',
    file: 'shared/training/poll.ts',
    edits: [['await findLostStart(ports, stored, token, cause)', "'starting'"]],
    seed: 100_006,
  },
  {
    name: 'prediction answered before it is stored',
    excuse: 'the answer comes faster',
    file: 'shared/prediction/score.ts',
    edits: [
      [
        "await ports.documents.create('predictions', document);",
        "void ports.documents.create('predictions', document).catch(() => undefined);",
      ],
    ],
    seed: 100_002,
  },
  {
    name: 'retry without backoff',
    excuse: 'it may work right away',
    file: 'shared/training/apply.ts',
    edits: [
      [
        'document.retryAt = later(now, backoffSeconds(document.attempt, pauseSeconds));',
        'document.retryAt = later(now, 0);',
      ],
    ],
    seed: 100_006,
  },
  {
    name: 'split recomputed from settings',
    excuse: 'the settings say how samples are split',
    file: 'shared/dataset/write-version.ts',
    edits: [
      [
        "import { treeStore } from './store.ts';",
        "import { treeStore } from './store.ts';\nimport { splitOf } from '../sample/split.ts';",
      ],
      [
        'const record = toRecord(sample);',
        'const record = toRecord({ ...sample, split: splitOf(sample.pixelDigest ?? sample.sha256, project.settings.split) });',
      ],
    ],
    seed: 100_037,
  },
  {
    name: 'its own duplicate',
    excuse: 'a sample that exists was there before',
    file: 'shared/sample/admit.ts',
    edits: [
      [
        'if (existing.origin === upload.id) {',
        'if (existing.origin === upload.id && existing.createdAt === sample.createdAt) {',
      ],
    ],
    seed: 100_001,
  },
  {
    name: 'a claim that is no sample',
    excuse: 'whoever claimed the pixels makes the sample',
    file: 'shared/sample/claim-pixels.ts',
    edits: [
      [
        "const stored = await readOrMake(documents, first, created === 'exists');",
        "const stored = created === 'exists' ? ((await documents.read('samples', first.pk, first.id)) ?? { document: first, etag: '' }) : await readOrMake(documents, first, false);",
      ],
    ],
    seed: 100_006,
  },
  {
    name: 'unstaged by label alone',
    excuse: 'the committed label is the one the sample has',
    file: 'shared/dataset/assign-keys.ts',
    edits: [[' && sample.source === record.source', '']],
    seed: 100_038,
  },
  {
    name: 'repetition refused for its own etag',
    excuse: 'a stale etag is refused before anything else',
    file: 'shared/sample/annotate.ts',
    edits: [['if (!same && seen !== undefined', 'if (seen !== undefined']],
    seed: 100_007,
  },
];

/** Plants a defect into its source; throws when one of its texts does not stand there exactly once. */
export function plant({ name, file, edits }: Defect, source: string): string {
  return edits.reduce((text, [find, replacement]) => {
    const times = text.split(find).length - 1;
    if (times !== 1) throw new Error(`the defect "${name}" does not fit ${file}: its text stands there ${times} times`);
    return text.replace(find, () => replacement);
  }, source);
}
