/** From a project to its versions: what people and apps ask of data. */
import sharp from 'sharp';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { projectStatusView } from '../../../shared/api/views/project.ts';
import { p, urls } from '../digits.ts';
import type { Started } from './started.ts';

/** Adds the tests, which go on where those before them ended. */
export function askForData(started: Started): void {
  test('projects, with how much there is of everything', async () => {
    expect((await started.listOf('projects-list')).map(({ name }) => name)).toEqual([p]);
    const status = await started.api.send('projects-get', { params: { project: p } });
    expect(status.headers.get('etag')).toBeTruthy();
    const { counts, head } = projectStatusView.parse(status.json);
    expect(counts.uploads).toMatchObject({ received: 0, accepted: 150, unlabelled: 1, conflict: 1, quarantined: 1 });
    expect(counts).toMatchObject({ samples: 151, versions: 1, models: 1 });
    expect(head?.samples).toBe(150);
    const body = { ...projectStatusView.parse(status.json).settings, retrain: { onVersion: false } };
    expect((await started.api.send('projects-put', { params: { project: p }, body })).status).toBe(428);
    const stale = await started.api.send('projects-put', {
      params: { project: p },
      body,
      headers: { 'if-match': '"old"' },
    });
    expect(stale.status).toBe(412);
    const headers = { 'if-match': status.headers.get('etag') ?? '' };
    expect((await started.api.send('projects-put', { params: { project: p }, body, headers })).status).toBe(200);
    const patch = { body: { gate: { minimum: 0.3 } }, headers: { 'content-type': 'application/merge-patch+json' } };
    const patched = await started.api.send('projects-patch', { params: { project: p }, ...patch });
    expect(patched.json).toMatchObject({ settings: { retrain: { onVersion: false }, gate: { minimum: 0.3 } } });
    const created = await started.api.send('projects-put', { params: { project: 'second' }, body: {}, headers });
    expect(created.status).toBe(412);
  });

  test('a project is put again without If-Match when nothing would change, as after a lost answer', async () => {
    const put = (headers: Record<string, string> = {}) =>
      started.api.send('projects-put', {
        params: { project: 'third' },
        body: { gate: { minimum: 0.7 }, classes: [] },
        headers,
      });
    const both = await Promise.all([put(), put()]);
    expect(new Set(both.map(({ status }) => status))).toEqual(new Set([200, 201]));
    const again = await put();
    expect([again.status, again.json]).toEqual([200, both[0]?.json]);
    expect(again.headers.get('etag')).toBe(both[0]?.headers.get('etag'));
    expect((await put({ 'if-match': again.headers.get('etag') ?? '' })).headers.get('etag')).toBe(
      again.headers.get('etag'),
    );
    // what was a change when it was sent first comes with an older etag
    expect((await put({ 'if-match': '"old"' })).status).toBe(200);
  });

  test('uploads by outcome and by blob', async () => {
    const [bad] = await started.listOf('uploads-list', { params: { project: p }, query: { outcome: 'quarantined' } });
    expect(bad).toMatchObject({ blob: 'digits/1/bad.png', reason: { code: 'not-an-image' } });
    const [one] = await started.listOf('uploads-list', { params: { project: p }, query: { blob: 'digits/3/d3.png' } });
    const found = await started.api.send('uploads-get', { params: { project: p, upload: String(one?.['id']) } });
    expect(found.json).toMatchObject({ outcome: 'accepted', firstVersion: 1 });
    expect(found.headers.get('etag')).toBeTruthy();
    expect((await started.api.send('uploads-get', { params: { project: p, upload: 'nope' } })).status).toBe(404);
  });

  test('an upload address creates one blob once; it neither reads, lists, deletes nor reaches another', async () => {
    const files = [{ name: 'once.png', label: '3', contentType: 'image/png' }];
    const [given] = urls.parse(
      (await started.api.send('upload-urls-post', { params: { project: p }, body: { files } })).json,
    ).value;
    const { url, headers } = given ?? { url: '', headers: {} };
    const put = (address: string) =>
      fetch(address, { method: 'PUT', headers, body: new Uint8Array(started.someImage) });
    expect((await put(url.replace('once.png', 'twice.png'))).status).toBe(403);
    expect((await put(url)).status).toBe(201);
    const again = await put(url);
    expect([again.status, again.headers.get('x-ms-error-code')]).toEqual([403, 'UnauthorizedBlobOverwrite']);
    expect((await fetch(url)).status).toBe(403);
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(403);
    const container = url.replace(/\/digits\/3\/once\.png\?/, '?restype=container&comp=list&');
    expect((await fetch(container)).status).toBe(403);
  });

  test('samples: browse, bytes, a label by review', async () => {
    const [unlabelled] = await started.listOf('samples-list', {
      params: { project: p },
      query: { unlabelled: 'true' },
    });
    const id = String(unlabelled?.['id']);
    const sample = await started.api.send('samples-get', { params: { project: p, sample: id } });
    const bytes = await started.api.send('samples-content', { params: { project: p, sample: id } });
    const near = await started.api.send('near-duplicates-list', { params: { project: p }, query: { limit: '10' } });
    expect((near.json as { compared: number }).compared).toBeGreaterThan(100);
    expect((await sharp(bytes.bytes).metadata()).width).toBe(28);
    const review = (route: string, body: unknown, ifMatch: string) =>
      started.api.send(route, {
        params: { project: p, sample: id },
        body,
        headers: { 'if-match': ifMatch },
        key: started.keys.labeler,
      });
    const label = (body: unknown, ifMatch: string) => review('samples-label', body, ifMatch);
    expect((await label({ label: '7' }, '"old"')).status).toBe(412);
    const labelled = await label({ label: '7' }, sample.headers.get('etag') ?? '');
    expect(labelled.json).toMatchObject({ label: '7', labelSource: 'review', annotation: { label: '7' } });
    const again = await review('samples-annotation', { label: '7' }, labelled.headers.get('etag') ?? '');
    expect(again.json).toEqual(labelled.json);
    // whose answer was lost sends the same again, with the etag from before
    expect((await label({ label: '7' }, sample.headers.get('etag') ?? '')).json).toEqual(labelled.json);
    expect((await started.api.send('commits-post', { params: { project: p } })).status).toBe(202);
    const head = async () =>
      projectStatusView.parse((await started.api.send('projects-get', { params: { project: p } })).json).head;
    await expect.poll(async () => (await head())?.number, { timeout: 30_000 }).toBe(2);
  });

  test('versions: history, entries, difference, DVC pointer', async () => {
    expect((await started.listOf('versions-list', { params: { project: p } })).map(({ number }) => number)).toEqual([
      2, 1,
    ]);
    const head = await started.api.send('versions-get', { params: { project: p, version: 'head' } });
    const id = z.object({ id: z.string() }).parse(head.json).id;
    expect((await started.api.send('versions-get', { params: { project: p, version: id } })).json).toEqual(head.json);
    const entries = await started.listOf('versions-samples', {
      params: { project: p, version: '1' },
      query: { limit: '1000' },
    });
    expect(entries).toHaveLength(150);
    const diff = await started.api.send('versions-diff', { params: { project: p, from: '1', to: '2' } });
    expect(diff.json).toMatchObject({ counts: { removed: 0, relabelled: 0 } });
    const dvc = await started.api.send('versions-dvc', { params: { project: p, version: '1' } });
    const again = await started.api.send('versions-dvc', { params: { project: p, version: 'head' } });
    expect(again.headers.get('etag')).toBe(`"${id}"`);
    expect((await started.api.send('versions-dvc', { params: { project: p, version: '1' } })).bytes).toEqual(dvc.bytes);
    expect(dvc.bytes.toString()).toMatch(/md5: [0-9a-f]{32}\.dir[\s\S]*nfiles: 150[\s\S]*hash: md5/);
    expect((await started.api.send('versions-get', { params: { project: p, version: '99' } })).status).toBe(404);
  });
}
