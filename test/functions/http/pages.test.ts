/** Pages are bounded in bytes, however large what is listed is, and following them gives everything once. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { readPage } from '../../../functions/http/pages.ts';
import { createBackend } from './backend.ts';

const megabyte = 1024 * 1024;
const listed = z.object({ value: z.array(z.record(z.string(), z.unknown())), nextLink: z.string().optional() });
const classes = Array.from({ length: 500 }, (_, n) => `${n}`.padEnd(100, '\u{3042}'));
const counts = Object.fromEntries(classes.map((name) => [name, 1e6]));

/** Documents as large as they get: 500 classes of the longest names. */
const worst: Record<string, { container: string; many: number; fields: (n: number) => object }> = {
  models: {
    ...{ container: 'models', many: 8 },
    fields: (number) => ({
      ...{ number, state: 'approved', digest: 'd', sizeBytes: 1, classes, run: 't', createdAt: '', decidedBy: null },
      ...{ image: {}, version: { id: 'v', number: 1 }, lineage: { trainer: 't', parameters: {}, seed: 1, code: null } },
      metrics: { accuracy: 1, samples: 1, recall: counts, confusion: classes.map(() => classes.map(() => 1000)) },
      verdict: { decision: 'approved', reasons: classes, samples: 1, accuracy: 1, interval: {}, champion: null },
    }),
  },
  versions: {
    ...{ container: 'versions', many: 40 },
    fields: (number) => ({
      number,
      version: `v${number}`,
      byClass: counts,
      bySplit: {},
      changes: {},
      root: '',
      parent: null,
    }),
  },
  trainings: {
    ...{ container: 'runs', many: 30 },
    fields: (n) => ({
      ...{
        state: 'failed',
        classes,
        image: {},
        attempts: [],
        createdAt: String(n),
        version: {},
        trainer: {},
        reason: 'r',
      },
      metrics: Array.from({ length: 2000 }, (_, step) => ({ key: 'validation-accuracy', value: 0.123456789, step })),
    }),
  },
};

test.each(Object.keys(worst))('the largest %s fill no answer beyond 8 MB, and each is listed once', async (what) => {
  const { send, world } = createBackend();
  const { container, many, fields } = worst[what] ?? { container: '', many: 0, fields: () => ({}) };
  world.put('projects', { id: 'digits', pk: 'projects', settings: { retrain: {} } } as never);
  for (let n = 1; n <= many; n++)
    world.put(container as 'models', { id: String(n).padStart(8, '0'), pk: 'digits', ...fields(n) } as never);
  let next: string | undefined = `/api/v1/projects/digits/${what}?limit=1000`;
  let seen = 0;
  for (let pages = 0; next !== undefined && pages < many; pages++) {
    const { text, json } = await send('GET', next.slice('/api'.length));
    expect(Buffer.byteLength(text)).toBeLessThan(8 * megabyte);
    const { value, nextLink } = listed.parse(json);
    seen += value.length;
    next = nextLink;
  }
  expect(seen).toBe(many);
});

test('dead letters with the largest bodies, and projects with the largest settings', async () => {
  const { send, world } = createBackend();
  for (let n = 0; n < 150; n++) {
    const letter = { id: `x${n}`, pk: 'evaluations', queue: 'evaluations', status: 'waiting', lastAt: String(n) };
    world.put('dead-letters', { ...letter, body: '\u0001'.repeat(64 * 1024), detail: 'd'.repeat(2000) } as never);
    const settings = { classes, trainer: { parameters: { notes: 'n'.repeat(1e5) } } };
    world.put('projects', { id: `project-${n}`, pk: 'projects', settings } as never);
  }
  for (const path of ['/v1/dead-letters?limit=1000', '/v1/projects?limit=1000']) {
    const { text, json } = await send('GET', path);
    expect(Buffer.byteLength(text)).toBeLessThan(8 * megabyte);
    expect(listed.parse(json).nextLink).toBeDefined();
  }
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
