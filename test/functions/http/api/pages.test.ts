/** Lists have summaries, pages are bounded in bytes, however large what is listed is, and following them gives everything once. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { readPage } from '../../../../functions/http/api/pages.ts';
import { createBackend } from '../backend.ts';

const megabyte = 1024 * 1024;
const listed = z.object({ value: z.array(z.record(z.string(), z.unknown())), nextLink: z.string().optional() });
const classes = Array.from({ length: 500 }, (_, n) => `${n}`.padEnd(100, '\u{3042}'));
const counts = Object.fromEntries(classes.map((name) => [name, 1e6]));

const confusion = classes.map(() => classes.map(() => 7));
const verdict = {
  ...{ decision: 'rejected', samples: 1, accuracy: 1, interval: {}, champion: null },
  reasons: ['passed: a', 'failed: b', 'failed: c', 'noted: d'].map((rule) => rule + classes.slice(0, 20).join(', ')),
};
const parameters = Object.fromEntries(classes.map((_, n) => [`parameter-${n}`, 'x'.repeat(200)]));
const words = '\u{3042}';
const dataset = { id: 'f'.repeat(64), number: 99_999_999 };
const time = '2026-12-01T10:00:00.000Z';
const summarised = { decision: 'rejected', samples: 1, accuracy: 1, rules: { passed: 1, failed: 2, noted: 1 } };

/** Documents as large as they get: 500 classes of the longest names; `most`: bytes of an item in a list. */
const worst: Record<string, { container: string; most: number; shown: object; fields: (n: number) => object }> = {
  models: {
    ...{ container: 'models', most: 1280 },
    shown: { classCount: 500, metrics: { accuracy: 1, samples: 1 }, verdict: summarised },
    fields: (number) => ({
      ...{
        number,
        task: 'classification',
        state: 'approved',
        digest: 'd'.repeat(64),
        sizeBytes: 1e8,
        classes,
        run: 't'.repeat(40),
        verdict,
      },
      ...{ image: { width: 512, height: 512, channels: 3 }, version: dataset, decidedBy: words.repeat(100) },
      ...{ lineage: { trainer: 't'.repeat(40), parameters, seed: 1e9, code: 'c'.repeat(200) }, createdAt: time },
      metrics: { accuracy: 1, samples: 1, recall: counts, confusion },
    }),
  },
  versions: {
    ...{ container: 'versions', most: 1024 },
    shown: { classCount: 500 },
    fields: (number) => ({
      ...{ version: `v${number}`.padEnd(64, '0'), number, root: 'r'.repeat(64), parent: 'p'.repeat(64), samples: 1e9 },
      ...{ byClass: counts, bySplit: { train: 1e9, validation: 1e9, test: 1e9 }, createdAt: time },
      ...{ changes: { added: 1e9, removed: 1e9, relabelled: 1e9 }, bytesWritten: 1e12, nodesWritten: 1e9 },
    }),
  },
  // with the longest that a person may say and a job may report
  trainings: {
    ...{ container: 'runs', most: 7 * 1024 },
    shown: { classCount: 500, verdict: summarised, unreadable: { samples: 100 } },
    fields: (n) => ({
      ...{
        task: 'classification',
        state: 'failed',
        attempt: 4,
        classes,
        image: { width: 512, height: 512, channels: 3 },
        verdict,
      },
      ...{ version: dataset, seed: 1, requestedBy: words.repeat(100), reason: words.repeat(500), computeSeconds: 1 },
      ...{ trainer: { name: 't'.repeat(40), parameters, timeoutSeconds: 86_400 }, code: words.repeat(200) },
      failure: { code: 'job-failed', detail: words.repeat(1000), retryable: false },
      attempts: [{ attempt: 1, execution: 'x'.repeat(200), failure: 'job-failed', endedAt: time }],
      unreadable: Array.from({ length: 100 }, () => ({ md5: 'm'.repeat(32), reason: words.repeat(300) })),
      metrics: Array.from({ length: 2000 }, (_, step) => ({ key: 'validation-accuracy', value: 0.123456789, step })),
      ...{ createdAt: `${time}${n}`, submittedAt: time, startedAt: time, trainedAt: time, endedAt: time },
    }),
  },
  projects: {
    ...{ container: 'projects', most: 256 },
    shown: { createdAt: time },
    fields: () => ({ settings: { classes, trainer: { parameters } }, createdAt: time, updatedAt: time }),
  },
};

test.each(Object.keys(worst))(
  'a list of 200 of the largest %s has a summary of each, and few are held',
  async (what) => {
    const { container, most, fields, shown } = worst[what] as (typeof worst)[string];
    const { send, world } = createBackend();
    world.put('projects', { id: 'digits', pk: 'projects', settings: { retrain: {} } } as never);
    const all = Array.from({ length: 200 }, (_, n) => ({
      document: { id: String(n).padStart(8, '0'), pk: 'digits', ...fields(n) },
      etag: '',
    }));
    const size = Buffer.byteLength(JSON.stringify(all[0]));
    const { documents } = world.ports;
    const stored = { ...documents };
    documents.query = (asked, { limit, continuation, ...more }) => {
      if (asked !== container) return stored.query(asked, { limit, ...more });
      expect(limit * size).toBeLessThan(9 * megabyte);
      const from = Number(continuation ?? 0);
      const next = from + limit < all.length ? { continuation: String(from + limit) } : {};
      return Promise.resolve({ items: all.slice(from, from + limit) as never, ...next });
    };
    const list = what === 'projects' ? '/v1/projects' : `/v1/projects/digits/${what}`;
    let next: string | undefined = `/api${list}?limit=1000`;
    let [seen, bytes] = [0, 0];
    while (next !== undefined) {
      const { text, json } = await send('GET', next.slice('/api'.length));
      const { value, nextLink } = listed.parse(json);
      expect(value.length).toBeGreaterThan(0);
      expect(value[0]).toMatchObject(shown);
      seen += value.length;
      bytes += Buffer.byteLength(text);
      next = nextLink;
    }
    expect(seen).toBe(200);
    expect(bytes).toBeLessThan(200 * most);
  },
);

test('dead letters with the largest bodies, whose list alone has them, fill no answer beyond 8 MB', async () => {
  const { send, world } = createBackend();
  for (let n = 0; n < 150; n++) {
    const letter = { id: `x${n}`, pk: 'evaluations', queue: 'evaluations', status: 'waiting', lastAt: String(n) };
    world.put('dead-letters', { ...letter, body: '\u0001'.repeat(64 * 1024), detail: 'd'.repeat(2000) } as never);
  }
  const { text, json } = await send('GET', '/v1/dead-letters?limit=1000');
  expect(Buffer.byteLength(text)).toBeLessThan(8 * megabyte);
  expect(listed.parse(json).nextLink).toBeDefined();
});

test('pages of any sizes and limits give every document once, in order, and look at few large ones at a time', async () => {
  const sizes = fc.array(
    fc.oneof(
      fc.nat(1000),
      fc.integer({ min: 1, max: 2 }).map((n) => n * megabyte),
    ),
    { maxLength: 40 },
  );
  await fc.assert(
    fc.asyncProperty(sizes, fc.integer({ min: 1, max: 1000 }), async (all, limit) => {
      const seen: number[] = [];
      let continuation: string | undefined;
      do {
        const page = await readPage(
          {
            limit,
            ...(continuation === undefined ? {} : { continuation: Buffer.from(continuation).toString('base64url') }),
          },
          (look) => {
            const from = Number(look.continuation ?? 0);
            const items = all
              .slice(from, from + look.limit)
              .map((size, i) => ({ document: { n: from + i, size }, etag: '' }));
            const next = from + look.limit < all.length ? { continuation: String(from + look.limit) } : {};
            return Promise.resolve({ items, ...next });
          },
          (documents) => documents.map(({ n, size }) => ({ n, text: 'x'.repeat(size) })),
        );
        expect(page.value.length).toBeLessThanOrEqual(limit);
        expect(page.value.reduce((sum, { text }) => sum + text.length, 0)).toBeLessThan(13 * megabyte);
        seen.push(...page.value.map(({ n }) => n));
        ({ continuation } = page);
      } while (continuation !== undefined);
      expect(seen).toEqual(all.map((_, n) => n));
    }),
    { numRuns: 50 },
  );
});
