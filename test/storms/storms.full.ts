/** Storms that take minutes: part of `npm run verify` (STORM=full) alone. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startFunctionsHost } from '../../local/functions-host/host.ts';
import {
  countBy,
  jobsOf,
  runsOf,
  soon,
  startStormy,
  type Stormy,
  train,
  untilCommitted,
  untilIdle,
} from './platform.ts';

const root = path.resolve(import.meta.dirname, '../..');
const versions = 50;
const skewedRounds = 4;
const patience = 300_000;
let it: Stormy;

beforeAll(async () => {
  it = await startStormy();
}, 90_000);
afterAll(() => it?.close(), 60_000);

test(
  `${versions} versions in quick succession are a linear history, and cost two trainings at a time`,
  { timeout: patience },
  async () => {
    const trainer = { name: 'slow', parameters: { seconds: 3 } };
    // the window is so long that only the requests make versions
    await it.makeProject('versions', {
      ...{ trainer, commit: { quietSeconds: 300, maxWaitSeconds: 600 } },
      retrain: { onVersion: true, minNewSamples: 1, maxPerDay: 1000 },
    });
    for (let n = 1; n <= versions; n++) {
      await it.upload('versions', 2 * n, 2 * n + 2);
      await expect
        .poll(() => it.ports.documents.count('staged', { pk: 'versions' }), { ...soon, interval: 20 })
        .toBe(2);
      expect((await it.call('POST', '/projects/versions/commits')).status).toBe(202);
      await untilCommitted(it, 'versions', 2 * n);
    }
    await untilIdle(it, 'versions');
    const made = await it.ports.documents.query('versions', { pk: 'versions', limit: 100 });
    const numbers = made.items.map(({ document }) => document.number).sort((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: versions }, (_, i) => i + 1));
    const runs = await runsOf(it, 'versions');
    const trained = runs.filter((run) => run.failure === null);
    for (const { failure } of runs) expect([undefined, 'coalesced']).toContain(failure?.code);
    expect(await jobsOf(it, 'versions')).toBe(trained.length);
    expect(trained.length).toBeLessThan(versions);
    // the newest version is always trained on in the end
    expect(trained.map((run) => run.version.number)).toContain(versions);
  },
);

test(
  'clocks 10 minutes off, of a trainer and of whole hosts, lose, double and reorder nothing',
  { timeout: patience },
  async () => {
    const skewedHost = async (minutes: number) => {
      const entry = path.join(it.folder, `skewed${minutes}.mjs`);
      await writeFile(
        entry,
        `const Real = Date;
globalThis.Date = class extends Real {
  constructor(...parts) {
    if (parts.length === 0) super(Date.now());
    else super(...parts);
  }
  static now() {
    return Real.now() + ${minutes * 60_000};
  }
};
await import(${JSON.stringify(pathToFileURL(path.resolve(root, it.entry)))});
`,
      );
      return startFunctionsHost({
        ...{ appRoot: root, entry, port: 0, settings: it.platform.settings, onLog: () => undefined },
      });
    };
    const hosts = await Promise.all([skewedHost(-10), skewedHost(10)]);
    try {
      await it.makeProject('skewed', { retrain: { onVersion: true, minNewSamples: 1, maxPerDay: 1000 } });
      for (let n = 1; n <= skewedRounds; n++) {
        await it.upload('skewed', 30 * n, 30 * n + 30);
        // a window that a fast clock has opened closes 10 minutes late; whoever does not want to wait says so
        await expect
          .poll(() => it.ports.documents.count('uploads', { equals: { project: 'skewed', status: 'accepted' } }), soon)
          .toBe(30 * n);
        await it.call('POST', '/projects/skewed/commits');
        await untilCommitted(it, 'skewed', 30 * n);
        const run = await train(it, 'skewed', {
          seed: n,
          trainer: { name: 'skewed', parameters: { minutes: n % 2 === 0 ? 10 : -10 } },
        });
        expect([run.state, run.attempt]).toEqual(['registered', 1]);
      }
      await untilIdle(it, 'skewed');
      const runs = await runsOf(it, 'skewed');
      expect(
        Object.keys(countBy(runs.map((run) => run.failure?.code ?? run.state))).filter((s) => s !== 'coalesced'),
      ).toEqual(['registered']);
      const { body } = await it.call('GET', '/projects/skewed');
      expect((body['head'] as { number: number }).number).toBeGreaterThanOrEqual(skewedRounds);
      expect((await it.call('GET', '/dead-letters')).body['value']).toEqual([]);
    } finally {
      await Promise.all(hosts.map((host) => host.close()));
    }
  },
);
