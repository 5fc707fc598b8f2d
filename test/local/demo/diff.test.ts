import { describe, expect, test } from 'vitest';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createClient } from '../../../client/client.ts';
import { tellDiff } from '../../../local/demo/diff.ts';
import { createNarrator } from '../../../local/demo/narrator.ts';
import type { Version } from '../../../client/versions.ts';

const version = (number: number, samples: number) => ({ number, samples, bytesWritten: 7 }) as Version;

/** What is told of a second upload whose labels come on these pages. */
async function toldOf(pages: string[][], counts: object, samples: number): Promise<string[]> {
  const asked: string[] = [];
  const server: Server = createServer((request, response) => {
    asked.push(request.url ?? '');
    const at = asked.length;
    const file = {
      key: 'k',
      md5: 'm',
      labelSource: 'path',
      source: 'path',
      split: 'train',
      mediaType: 'image/png',
      sizeBytes: 1,
    };
    const added = (pages[at - 1] ?? []).map((label) => ({ ...file, label, annotation: { label } }));
    const page = { from: 1, to: 2, counts, added, removed: [], relabelled: [] };
    const nextLink = `http://${request.headers.host}/api/v1/page/${at}`;
    response.end(JSON.stringify({ ...page, ...(at < pages.length ? { nextLink } : {}) }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const written: string[] = [];
  const narrator = createNarrator({ write: (text) => written.push(text.trim()) });
  try {
    const client = createClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, 'dk_key');
    await tellDiff(client, narrator, 'a', [version(1, 10), version(2, 10 + samples)]);
  } finally {
    server.close();
  }
  expect(asked[0]).toBe('/api/v1/projects/a/versions/1/diff/2?limit=1000');
  return written;
}

describe('the difference of two versions', () => {
  test('is counted over all its pages, label by label', async () => {
    const counts = { added: 5, removed: 0, relabelled: 1 };
    expect(await toldOf([['10', '2'], ['2', '1'], ['2']], counts, 5)).toEqual([
      'from version 1 to 2: 5 added, 0 removed, 1 relabelled; 7 bytes written',
      'added 1 of "1", 3 of "2", 1 of "10"',
    ]);
  });

  test('with many labels tells the first of them', async () => {
    const labels = Array.from({ length: 15 }, (_, i) => `l${i}`);
    const [, told] = await toldOf([labels], { added: 15, removed: 0, relabelled: 0 }, 15);
    expect(told).toMatch(/^added 1 of "l0", 1 of "l1", .*1 of "l11", 3 of 3 other labels$/);
  });

  test('that does not add up is an error', async () => {
    const counts = { added: 2, removed: 0, relabelled: 0 };
    await expect(toldOf([['a', 'b']], counts, 3)).rejects.toThrow(
      'Expected the diff of versions to show 3 more samples',
    );
    await expect(toldOf([['a']], counts, 2)).rejects.toThrow('to hold all 2 added samples; seen: 1');
  });
});
