/** What handlers, jobs and apps rely on of blobs: write once, reads pinned by etag, signed addresses, events. */
import { Readable } from 'node:stream';
import { beforeAll, describe, expect, test } from 'vitest';
import { blobCreatedEvent } from '../../shared/delivery/message.ts';
import type { BlobContent, Blobs } from '../../shared/ports.ts';
import type { Open, Subject } from './subject.ts';

const MB = 1024 * 1024;
const hourMs = 3_600_000;

async function collect(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Registers the tests of the blobs port. */
export function blobsConform(open: Open): void {
  let subject: Subject;
  let blobs: Blobs;
  let names = 0;
  beforeAll(async () => {
    subject = await open();
    ({ blobs } = subject);
  });
  const fresh = (): string => `${subject.unique}/${++names}`;
  const get = async (name: string, ifMatch?: string): Promise<BlobContent | undefined> => {
    const pinned = ifMatch === undefined ? {} : { ifMatch };
    const found = await blobs.get('models', name, { maxBytes: MB, ...pinned });
    if (found === 'too-large') throw new Error(`${name} is too large`);
    return found;
  };

  describe('a blob', () => {
    test('comes back as it was written: bytes, type and metadata', async () => {
      const name = fresh();
      const body = Buffer.from(Array.from({ length: 70_000 }, (_, i) => i % 256));
      await blobs.create('models', name, body, { contentType: 'image/png', metadata: { label: 'seven', word: 'a b' } });
      const read = await get(name);
      expect(read).toMatchObject({ contentType: 'image/png', metadata: { label: 'seven', word: 'a b' } });
      expect(read?.body.equals(body)).toBe(true);
      expect(read?.etag).not.toContain('"');
    });

    test('has the type of bytes when nobody said one, and may be empty', async () => {
      const name = fresh();
      await blobs.create('models', name, '');
      expect(await get(name)).toMatchObject({
        ...{ body: Buffer.alloc(0), contentType: 'application/octet-stream', metadata: {} },
      });
      expect(await blobs.exists('models', name)).toBe(true);
    });

    test('has metadata whose names come back in lower case', async () => {
      const name = fresh();
      await blobs.create('models', name, 'x', { metadata: { Label: 'Seven' } });
      expect((await get(name))?.metadata).toEqual({ label: 'Seven' });
    });

    test('that is not there is undefined, and removing it is no error', async () => {
      const name = fresh();
      expect(await get(name)).toBeUndefined();
      expect(await get(name, '0x1')).toBeUndefined();
      expect(await blobs.stream('models', name)).toBeUndefined();
      expect(await blobs.exists('models', name)).toBe(false);
      await blobs.remove('models', name);
    });

    test('is created once, whatever the bytes', async () => {
      const name = fresh();
      expect(await blobs.create('models', name, 'first', { contentType: 'text/plain' })).toBe('created');
      expect(await blobs.create('models', name, 'second', { metadata: { a: 'b' } })).toBe('exists');
      expect(await get(name)).toMatchObject({ body: Buffer.from('first'), contentType: 'text/plain', metadata: {} });
    });

    test('is created by one of many', async () => {
      const name = fresh();
      const bodies = Array.from({ length: 6 }, (_, i) => String(i));
      const answers = await Promise.all(bodies.map((body) => blobs.create('models', name, body)));
      expect(answers.filter((answer) => answer === 'created')).toHaveLength(1);
      expect((await get(name))?.body.toString()).toBe(String(answers.indexOf('created')));
    });

    test('is created of what comes, once, however large it is', async () => {
      const name = fresh();
      const part = Buffer.alloc(MB, 'part');
      async function* parts() {
        for (let i = 0; i < 10; i++) {
          await Promise.resolve();
          yield part;
        }
      }
      expect(await blobs.createFrom('models', name, parts(), { contentType: 'text/plain' })).toBe('created');
      expect(await blobs.createFrom('models', name, parts())).toBe('exists');
      const stored = await blobs.stream('models', name);
      expect(stored).toMatchObject({ sizeBytes: 10 * MB, contentType: 'text/plain' });
      expect((await collect(stored?.body ?? parts())).equals(Buffer.alloc(10 * MB, 'part'))).toBe(true);
    });

    test('of which nothing comes is empty', async () => {
      const name = fresh();
      expect(await blobs.createFrom('models', name, Readable.from([]))).toBe('created');
      expect((await get(name))?.body.length).toBe(0);
    });

    test('is not there when what comes breaks off, and may be created then', async () => {
      const name = fresh();
      async function* broken() {
        yield Buffer.alloc(5 * MB);
        await Promise.resolve();
        throw new RangeError('broken off');
      }
      await expect(blobs.createFrom('models', name, broken())).rejects.toThrow(RangeError);
      expect(await blobs.exists('models', name)).toBe(false);
      expect(await blobs.createFrom('models', name, Readable.from([Buffer.from('whole')]))).toBe('created');
    });

    test('is created by one of many of what comes', async () => {
      const name = fresh();
      const answers = await Promise.all(
        ['1', '2', '3', '4'].map((text) => blobs.createFrom('models', name, Readable.from([Buffer.from(text)]))),
      );
      expect(answers.filter((answer) => answer === 'created')).toHaveLength(1);
      expect((await get(name))?.body.length).toBe(1);
    });

    test('of many is listed in order, page by page', async () => {
      const folder = `${fresh()}/`;
      const names = Array.from({ length: 5 }, (_, i) => `${folder}${i}`);
      await Promise.all(names.map((name) => blobs.create('models', name, 'x')));
      const found: string[][] = [];
      let continuation: string | undefined;
      do {
        const page = await blobs.page('models', folder, {
          limit: 2,
          ...(continuation === undefined ? {} : { continuation }),
        });
        found.push(page.blobs.map(({ name }) => name));
        expect(page.blobs.every(({ sizeBytes }) => sizeBytes === 1)).toBe(true);
        ({ continuation } = page);
      } while (continuation !== undefined);
      expect(found).toEqual([names.slice(0, 2), names.slice(2, 4), names.slice(4)]);
      expect(await blobs.page('models', `${folder}none`, { limit: 2 })).toEqual({ blobs: [] });
    });

    test('is overwritten with everything that belongs to it', async () => {
      const name = fresh();
      await blobs.create('models', name, 'first', { contentType: 'image/png', metadata: { label: '7' } });
      const first = await get(name);
      await blobs.overwrite('models', name, 'second', { contentType: 'application/json' });
      const second = await get(name);
      expect(second).toMatchObject({ body: Buffer.from('second'), contentType: 'application/json', metadata: {} });
      expect(second?.etag).not.toBe(first?.etag);
    });

    test('is gone when removed, and may be created again with another etag', async () => {
      const name = fresh();
      await blobs.create('models', name, 'same');
      const first = await get(name);
      await blobs.remove('models', name);
      expect(await get(name)).toBeUndefined();
      expect(await blobs.create('models', name, 'same')).toBe('created');
      expect((await get(name))?.etag).not.toBe(first?.etag);
    });

    test.each(['a b/ü é/数.png', "quotes ' and %25 percent", 'plus+and&and=.png', 'hash#and?mark'])(
      'may be named %s',
      async (odd) => {
        const name = `${fresh()}/${odd}`;
        await blobs.create('models', name, odd);
        expect((await get(name))?.body.toString()).toBe(odd);
        expect(await blobs.list('models', name, 10)).toEqual([name]);
      },
    );

    test('whose name has more than 1024 characters is refused', async () => {
      await expect(blobs.create('models', 'x'.repeat(1025), 'x')).rejects.toThrow();
    });

    test('of the same name in another container is another one', async () => {
      const name = fresh();
      await blobs.create('models', name, 'x');
      expect(await blobs.exists('datasets', name)).toBe(false);
    });
  });

  describe('a read', () => {
    test('that is pinned by an etag sees those bytes or nothing', async () => {
      const name = fresh();
      await blobs.create('models', name, 'first');
      const first = await get(name);
      expect((await get(name, first?.etag))?.body.toString()).toBe('first');
      await blobs.overwrite('models', name, 'second');
      expect(await get(name, first?.etag)).toBeUndefined();
      expect((await get(name))?.body.toString()).toBe('second');
    });

    test('of more than its limit says so, of as much as its limit does not', async () => {
      const name = fresh();
      await blobs.create('models', name, Buffer.alloc(1000));
      expect(await blobs.get('models', name, { maxBytes: 999 })).toBe('too-large');
      expect(await blobs.get('models', name, { maxBytes: 1000 })).toMatchObject({ contentType: expect.any(String) });
    });

    test('as a stream says its size and gives all of one version, overwritten meanwhile or not', async () => {
      const name = fresh();
      const first = Buffer.alloc(3 * MB, 1);
      await blobs.create('models', name, first, { contentType: 'text/plain' });
      const stream = await blobs.stream('models', name);
      expect(stream).toMatchObject({ sizeBytes: first.length, contentType: 'text/plain' });
      await blobs.overwrite('models', name, Buffer.alloc(3 * MB, 2));
      const read = stream === undefined ? undefined : await collect(stream.body);
      expect(read?.equals(first)).toBe(true);
    });

    test('shares no bytes with the store', async () => {
      const name = fresh();
      const written = Buffer.from('abc');
      await blobs.create('models', name, written);
      written.fill('x');
      (await get(name))?.body.fill('y');
      expect((await get(name))?.body.toString()).toBe('abc');
    });
  });

  test('a listing gives the names under a prefix in their order, at most so many', async () => {
    const base = fresh();
    for (const name of ['b', 'a/2', 'a/1', 'a', 'A', 'ab']) await blobs.create('models', `${base}/${name}`, 'x');
    const list = async (prefix: string, limit: number): Promise<string[]> =>
      (await blobs.list('models', `${base}/${prefix}`, limit)).map((name) => name.slice(base.length + 1));
    expect(await list('', 10)).toEqual(['A', 'a', 'a/1', 'a/2', 'ab', 'b']);
    expect(await list('a/', 10)).toEqual(['a/1', 'a/2']);
    expect(await list('', 2)).toEqual(['A', 'a']);
    expect(await list('none', 10)).toEqual([]);
  });

  describe('a signed address', () => {
    const inAnHour = (): Date => new Date(subject.now() + hourMs);

    test('to read reads that blob and nothing else, and writes nothing', async () => {
      const [name, other] = [fresh(), fresh()];
      await blobs.create('models', name, 'mine');
      await blobs.create('models', other, 'theirs');
      const url = await blobs.sign('models', name, 'read', inAnHour());
      expect((await subject.getUrl(url))?.toString()).toBe('mine');
      expect(await subject.getUrl(url.replace(name, other))).toBeUndefined();
      expect(await subject.putUrl(url, Buffer.from('x'))).toBe('refused');
      expect((await get(name))?.body.toString()).toBe('mine');
    });

    test('to create creates that blob once and does not read it', async () => {
      const [name, other] = [`${fresh()}/a b ü.png`, fresh()];
      const url = await blobs.sign('models', name, 'create', inAnHour());
      expect(await subject.putUrl(url, Buffer.from('first'))).toBe('created');
      expect(await subject.putUrl(url, Buffer.from('second'))).toBe('refused');
      expect(await subject.getUrl(url)).toBeUndefined();
      expect((await get(name))?.body.toString()).toBe('first');
      expect(await get(name)).toMatchObject({ contentType: 'image/png' });
      const elsewhere = await blobs.sign('models', other, 'create', inAnHour());
      expect(await subject.putUrl(elsewhere.replace(other, fresh()), Buffer.from('x'))).toBe('refused');
    });

    test('to overwrite writes that blob again and again, and does not read it', async () => {
      const [name, other] = [fresh(), fresh()];
      const url = await blobs.sign('jobs', name, 'overwrite', inAnHour());
      expect(await subject.putUrl(url, Buffer.from('first'))).toBe('created');
      expect(await subject.putUrl(url, Buffer.from('second'))).toBe('created');
      expect(await subject.getUrl(url)).toBeUndefined();
      expect(await blobs.get('jobs', name, { maxBytes: MB })).toMatchObject({ body: Buffer.from('second') });
      expect(await subject.putUrl(url.replace(name, other), Buffer.from('x'))).toBe('refused');
    });

    test('to create any blob of a container has its place for the name', async () => {
      const name = fresh();
      const url = await blobs.sign('job-reports', `${name}/{sequence}.json`, 'create-any', inAnHour());
      expect(url).toContain('{sequence}');
      expect(await subject.putUrl(url.replace('{sequence}', '1'), Buffer.from('1'))).toBe('created');
      expect(await subject.putUrl(url.replace('{sequence}', '2'), Buffer.from('2'))).toBe('created');
      expect(await subject.putUrl(url.replace('{sequence}', '1'), Buffer.from('3'))).toBe('refused');
      expect(await subject.getUrl(url.replace('{sequence}', '1'))).toBeUndefined();
      expect((await blobs.list('job-reports', name, 10)).map((one) => one.slice(name.length))).toEqual([
        '/1.json',
        '/2.json',
      ]);
    });

    test('is worth nothing when its time is over', async () => {
      const name = fresh();
      await blobs.create('models', name, 'x');
      const past = new Date(subject.now() - 60_000);
      expect(await subject.getUrl(await blobs.sign('models', name, 'read', past))).toBeUndefined();
      expect(await subject.putUrl(await blobs.sign('models', fresh(), 'create', past), Buffer.from('x'))).toBe(
        'refused',
      );
    });
  });

  test('a finished write sends an event with the etag of what it wrote; a refused one and other containers send none', async () => {
    const name = `${fresh()}/é ü.png`;
    const url = await blobs.sign('uploads', name, 'create', new Date(subject.now() + hourMs));
    expect(await subject.putUrl(url, Buffer.from('upload'))).toBe('created');
    expect(await subject.putUrl(url, Buffer.from('again'))).toBe('refused');
    await blobs.create('quarantine', name, 'elsewhere');
    const subjects: string[] = [];
    for (let message; (message = await subject.receive('blob-created', 2000)) !== undefined;) {
      const event = blobCreatedEvent.parse(message.body);
      await message.complete();
      if (!event.subject.endsWith(name)) continue;
      subjects.push(event.subject);
      expect(decodeURIComponent(new URL(event.data.url).pathname)).toMatch(new RegExp(`/uploads/${name}$`));
      const pinned = await blobs.get('uploads', name, { maxBytes: MB, ifMatch: event.data.eTag });
      expect(pinned).toMatchObject({ body: Buffer.from('upload') });
    }
    expect([...new Set(subjects)]).toEqual([`/blobServices/default/containers/uploads/blobs/${name}`]);
  });
}
