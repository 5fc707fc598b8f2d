/** Requests that mean harm, on a real platform: what they are answered, and that nothing breaks, changes or gets stuck. */
import { randomBytes } from 'node:crypto';
import pMap from 'p-map';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { attack, describe as said } from '../hostile/attack.ts';
import { attempt, type Misuse, misuses, readsAndNewNames } from '../hostile/addresses.ts';
import { bodies } from '../hostile/bodies.ts';
import { type Result, report } from '../hostile/case.ts';
import { images } from '../hostile/images.ts';
import { callAs, callersOf, expectedFor } from '../hostile/matrix.ts';
import { elsewhere, project, startTarget, type Target } from '../hostile/platform.ts';
import { snapshot } from '../hostile/snapshot.ts';
import { writeNames } from '../hostile/wire-names.ts';
import { sendNonsense } from '../hostile/wire-messages.ts';
import { queueNames } from '../../shared/resources.ts';
import * as z from 'zod';
import { succeeded } from '../shared/evaluation/trainable.ts';
import { keyDocument, newKey } from '../../shared/key/secret.ts';
import { sendBody } from '../hostile/handlers.ts';
import { labelIn } from '../shared/dataset/samples.ts';
import type { Context } from '../hostile/requests.ts';
import { type Operation, readOperations } from './contract.ts';

let target: Target;
let operations: Operation[];
let context: Context & { origin: string };

beforeAll(async () => {
  target = await startTarget();
  operations = await readOperations(target.origin, target.keyOf('viewer'));
  const { origin, params, picture } = target;
  context = { operations, params, picture, origin, host: new URL(origin).host, key: target.keyOf('operator') };
}, 120_000);
afterAll(() => target?.close(), 60_000);

describe('signed addresses', () => {
  const put = (url: string, body: string): Promise<number> =>
    attempt({ what: '', method: 'PUT', url, headers: { 'x-ms-blob-type': 'BlockBlob' }, body });
  /** those that were let through */
  const allowed = async (tries: Misuse[]): Promise<string[]> => {
    const statuses = await pMap(tries, attempt, { concurrency: 4 });
    return tries.flatMap(({ what }, i) => ((statuses[i] ?? 0) < 400 ? [`${what}: ${statuses[i]}`] : []));
  };
  const blobs = async () => (await snapshot(target.ports)).filter((line) => line.startsWith('blob '));

  test('of an upload create one blob once, and can neither read, list, change, delete nor reach another', async () => {
    const files = [{ name: 'once.png', label: 'dark', contentType: 'image/png' }];
    const asked = await fetch(`${target.origin}/api/v1/projects/${project}/upload-urls`, {
      method: 'POST',
      headers: { 'x-api-key': target.keyOf('labeler'), 'content-type': 'application/json' },
      body: JSON.stringify({ files }),
    });
    const url = z.object({ value: z.tuple([z.object({ url: z.string() })]) }).parse(await asked.json()).value[0].url;
    const before = await blobs();
    expect(await put(url, 'first')).toBe(201);
    expect(await allowed([...misuses(url, `${project}/dark/tile-0.png`), ...readsAndNewNames(url)])).toEqual([]);
    const kept = await target.ports.blobs.get('uploads', `${project}/dark/once.png`, { maxBytes: 100 });
    expect(kept).toMatchObject({ body: Buffer.from('first'), metadata: {} });
    const added = (await blobs()).filter((name) => !before.includes(name) && !name.startsWith('blob quarantine/'));
    expect(added).toEqual([`blob uploads/${project}/dark/once.png`]);
  });

  test('of a job create each output once, read what the job may read, and no more', async () => {
    const job = await target.job();
    const { pk, id, token } = await target.run();
    const prefix = `${pk}/${id}/${token}`;
    for (const [name, url] of Object.entries(job.outputs)) {
      expect(await put(url, name), name).toBe(201);
      expect(await allowed([...misuses(url, `${prefix}/job.json`), ...readsAndNewNames(url)]), name).toEqual([]);
      const kept = await target.ports.blobs.get('jobs', `${prefix}/${name}`, { maxBytes: 100 });
      expect(kept).toMatchObject({ body: Buffer.from(name) });
    }
    expect((await fetch(job.manifestUrl)).status).toBe(200);
    expect(await allowed(misuses(job.manifestUrl, `${prefix}/job.json`))).toEqual([]);
  });

  test('of reports create them and nothing else; under a wrong token, run or project they change nothing', async () => {
    const { reports } = await target.job();
    const run = await target.run();
    const address = (name: string): string =>
      reports.urlTemplate.replace(/job-reports\/.*\{sequence\}\.json/, `job-reports/${name}`);
    const report = JSON.stringify({ ...succeeded, sequence: 1, at: new Date().toISOString(), execution: 'mine' });
    const names = ['another-token', 'x'.repeat(80), run.token?.toUpperCase()].map(
      (t) => `${run.pk}/${run.id}/${t}/000001.json`,
    );
    names.push(`${run.pk}/another-run/${run.token}/000001.json`, `${elsewhere}/${run.id}/${run.token}/000001.json`);
    for (const name of names) expect(await put(address(name), report), name).toBe(201);
    const [first = '', second = ''] = names;
    const { container, others } = Object.groupBy(misuses(address(first), second), ({ what }) =>
      what === 'makes itself one of the container' ? 'container' : 'others',
    ) as Record<'container' | 'others', Misuse[]>;
    expect(await allowed(others)).toEqual([]);
    expect(await allowed(readsAndNewNames(address(first)).slice(0, 2))).toEqual([]);
    // signatures know no patterns of names: it is one of the container, and what is no report is told to a person
    expect(await allowed(container)).toHaveLength(1);
    await target.drained();
    expect(await target.run()).toEqual(run);
    const { items } = await target.ports.documents.query('dead-letters', { pk: 'training-events', limit: 10 });
    expect(items.map(({ document }) => document.reason)).toEqual(['bad-report-name']);
    // the right token is what moves it
    expect(await put(reports.urlTemplate.replace('{sequence}', '000001'), report)).toBe(201);
    await expect.poll(async () => (await target.run()).state, { timeout: 20_000 }).not.toBe(run.state);
  }, 60_000);
});

describe('keys', () => {
  test('allow what the OpenAPI document says of their role and scope; every other call is refused and changes nothing', async () => {
    const { documents } = target.ports;
    const revoked = newKey(randomBytes(32));
    const document = keyDocument(revoked, { name: 'gone', role: 'operator', project: '*' }, new Date().toISOString());
    await documents.create('keys', document);
    await documents.remove('keys', document.pk, document.id);
    const callers = callersOf(target, revoked);
    const calls = operations.flatMap((one) => callers.map((caller) => ({ one, caller })));
    const [allowed, denied] = [true, false].map((wanted) =>
      calls.filter(({ one, caller }) => (expectedFor(caller, one) === 'allowed') === wanted),
    );
    expect(denied?.length).toBeGreaterThan(500);
    const call = ({ one, caller }: (typeof calls)[number]) => callAs(target, operations, caller, one);
    await target.drained();
    const before = await snapshot(target.ports);
    expect((await pMap(denied ?? [], call, { concurrency: 8 })).flat()).toEqual([]);
    expect(await snapshot(target.ports)).toEqual(before);
    expect((await pMap(allowed ?? [], call, { concurrency: 8 })).flat()).toEqual([]);
  }, 120_000);

  test('of one project list that project alone, and are told nothing of others', async () => {
    const key = target.keyOf('viewer of elsewhere');
    const get = async (path: string) => {
      const answer = await fetch(`${target.origin}/api/v1${path}`, { headers: { authorization: `Bearer ${key}` } });
      return { status: answer.status, json: (await answer.json()) as object };
    };
    expect((await get('/projects')).json).toMatchObject({ value: [{ name: elsewhere }] });
    const [there, nowhere] = [await get(`/projects/${project}`), await get('/projects/no-such-project')];
    expect([there.status, nowhere.status]).toEqual([403, 403]);
  });
});

describe('hostile requests', () => {
  test('have a body: each is refused with the field that is wrong', async () => {
    const results: Result[] = [];
    for (const { name, input, expected } of bodies)
      results.push({ kind: 'JSON body', name, expected, outcome: await sendBody(context, input) });
    console.log(report(results).join('\n'));
    expect(results.filter(({ outcome, expected }) => outcome !== expected)).toEqual([]);
  }, 60_000);

  test('have a picture: what ingest quarantines is never scored, and everything else is', async () => {
    const results = await pMap(
      await images(),
      async ({ name, input: { bytes = Buffer.alloc(0) }, expected }) => {
        const answer = await fetch(`${target.origin}/api/v1/projects/${project}/score`, {
          method: 'POST',
          headers: { 'x-api-key': context.key, 'content-type': 'application/octet-stream' },
          body: new Uint8Array(bytes),
        });
        const code = answer.headers.get('x-ms-error-code');
        await answer.arrayBuffer();
        const strange = /not-an-image|unsupported-format/.test(expected) && bytes.length > 0;
        const right = /^(accepted|duplicate)/.test(expected)
          ? '200'
          : strange
            ? '415 unsupported-type'
            : '400 bad-image';
        return {
          kind: 'picture',
          name,
          expected: right,
          outcome: code === null ? `${answer.status}` : `${answer.status} ${code}`,
        };
      },
      { concurrency: 4 },
    );
    console.log(report(results).join('\n'));
    expect(results.filter(({ outcome, expected }) => outcome !== expected)).toEqual([]);
  }, 60_000);

  test('made from the OpenAPI document never meet a server error, and end no process', async () => {
    const { violations } = await attack(context, { seed: 1, from: 0, to: 500 });
    expect(violations.map((one) => said(one, 1))).toEqual([]);
  }, 120_000);

  test('and messages that are none leave no process dead, no message stuck and nothing unexplained', async () => {
    const sent = await sendNonsense(target.platform.settings['SERVICEBUS'] ?? '');
    await target.drained();
    const reasons = new Map<string, number>();
    for (const pk of queueNames) {
      const { items } = await target.ports.documents.query('dead-letters', { pk, limit: 100 });
      for (const { document } of items)
        reasons.set(document.reason, (reasons.get(document.reason) ?? 0) + document.count);
    }
    expect(Object.fromEntries(reasons)).toEqual({ 'invalid-message': sent * queueNames.length, 'bad-report-name': 1 });
    expect(target.platform.functions?.restarts()).toBe(0);
    expect(await target.residentBytes()).toBeLessThan(900 * 1024 * 1024);
    expect((await fetch(`${target.origin}/api/v1/health/live`)).status).toBe(200);
  }, 120_000);
});

// last: Azurite lists no container that holds some of these names
test('a name over the wire ends as its blob is called, in its own project or in none', async () => {
  const written = await writeNames(target);
  await target.drained();
  const { items } = await target.ports.documents.query('uploads', { limit: 1000 });
  const results = written.map(({ name, expected, status, etag }): Result => {
    const outcomes = items
      .filter(({ document }) => document.etag === etag)
      .map(({ document }) => [document.status, document.reason?.code ?? labelIn(document) ?? ''].join(' ').trim());
    return {
      kind: 'name over the wire',
      name,
      expected,
      outcome: outcomes.join(' and ') || `storage answers ${status}`,
    };
  });
  console.log(report(results).join('\n'));
  expect(results.filter(({ outcome, expected }) => outcome !== expected)).toEqual([]);
  expect(items.filter(({ document }) => document.project === elsewhere)).toEqual([]);
}, 60_000);
