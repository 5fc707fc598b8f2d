/** Versions of a million samples: building, committing 100 changes, comparing. */
import { createHash } from 'node:crypto';
import { diff } from '../../shared/dataset/diff.ts';
import { applyEdits, type Edit } from '../../shared/dataset/edit.ts';
import { type SampleRecord, sampleKey, splits } from '../../shared/dataset/record.ts';
import type { NodeStore } from '../../shared/dataset/tree.ts';
import { atMost, type Bench, figure, median } from './bench.ts';

const task = 'classification';
const hex = (text: string, kind: 'md5' | 'sha256'): string => createHash(kind).update(text).digest('hex');

function recordOf(i: number, label: string): SampleRecord {
  return {
    ...{ md5: hex(String(i), 'md5'), sha256: hex(String(i), 'sha256'), sizeBytes: 40_000 + (i % 1000) },
    ...{ mediaType: 'image/jpeg', width: 640, height: 480, channels: 3, annotation: { label } },
    source: 'path',
    split: splits[i % splits.length] ?? 'train',
  };
}

/** An insert of sample i as part of version `number`. */
function insert(i: number, number: number): Edit {
  const record = recordOf(i, `class-${i % 10}`);
  return { key: sampleKey(number, record.md5), record };
}

/** Nodes in memory, with the bytes that were put. */
function memoryStore(): NodeStore {
  const nodes = new Map<string, Buffer>();
  return {
    async get(digest) {
      const found = nodes.get(digest);
      if (found === undefined) throw new Error(`there is no node ${digest}`);
      return found;
    },
    async put(digest, bytes) {
      nodes.set(digest, bytes);
    },
  };
}

const seconds = async <T>(work: () => Promise<T>): Promise<[T, number]> => {
  const startedAt = performance.now();
  return [await work(), (performance.now() - startedAt) / 1000];
};

export const versions: Bench = async ({ quick, say }) => {
  const samples = quick ? 100_000 : 1_000_000;
  const store = memoryStore();
  say(`building a version of ${samples} samples`);
  const perVersion = samples / 100;
  const edits = Array.from({ length: samples }, (_, i) => insert(i, 1 + Math.floor(i / perVersion)));
  const rssBefore = process.memoryUsage().rss;
  const [built, buildSeconds] = await seconds(() => applyEdits(store, null, edits, { task }));
  const rssMb = (process.memoryUsage().rss - rssBefore) / 1024 / 1024;
  say(`built in ${buildSeconds.toFixed(1)} s, ${built.nodesWritten} nodes`);

  // 100 relabelled samples, spread over all keys
  const scattered = Array.from({ length: 100 }, (_, j): Edit => {
    const i = Math.floor(((j + 0.5) * samples) / 100);
    const { key } = insert(i, 1 + Math.floor(i / perVersion));
    return { key, record: recordOf(i, 'relabelled') };
  });
  const [changed, scatteredSeconds] = await seconds(() => applyEdits(store, built.root, scattered, { task }));

  const bytes: number[] = [];
  const times: number[] = [];
  let root = built.root;
  for (let commit = 0; commit < 100; commit++) {
    const uploaded = Array.from({ length: 100 }, (_, j) => insert(samples + commit * 100 + j, 101 + commit));
    const [next, time] = await seconds(() => applyEdits(store, root, uploaded, { task }));
    bytes.push(next.bytesWritten);
    times.push(time);
    root = next.root;
  }

  const [differences, diffSeconds] = await seconds(async () => {
    let count = 0;
    for await (const { key } of diff(store, built.root, changed.root)) count += key.length > 0 ? 1 : 0;
    return count;
  });
  if (differences !== 100) throw new Error(`the difference has ${differences} entries instead of 100`);
  return [
    atMost('commit-scattered-bytes', changed.bytesWritten, 'bytes', 8_000_000),
    figure('commit-scattered-seconds', scatteredSeconds, 's'),
    atMost('commit-clustered-bytes', median(bytes), 'bytes', 100_000),
    figure('commit-clustered-milliseconds', median(times) * 1000, 'ms'),
    figure('build-seconds', buildSeconds, 's'),
    figure('build-memory', rssMb, 'MB'),
    figure('diff-milliseconds', diffSeconds * 1000, 'ms'),
  ];
};
