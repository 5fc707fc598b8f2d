/** Pictures of a folder `<label>/<file>`: JPEG, PNG, WebP and TIFF of any size. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import pMap from 'p-map';
import { counted } from './counted.ts';
import { expectedFolder, type ImageFile, kindsOf, listFolder, type Skipped } from './folder-files.ts';
import type { Picture, PictureSet } from './pictures.ts';

const holdoutShare = 0.15;
/** of what is uploaded */
const secondShare = 0.25;
/** fewer leave nothing to hold out, or nothing to test with */
const leastPerLabel = 4;
const leastInAll = 20;
/** the demo is a story, not a migration: more would take longer than its waits allow */
const mostInAll = 10_000;
/** below this the default test split would hold too few pictures to say anything */
const fewPictures = 500;
const readsAtOnce = 8;

interface Content extends Picture {
  digest: string;
}

type Dealt = Record<'first' | 'second' | 'holdout', Content[]>;

const sha256 = (text: string | Buffer): string => createHash('sha256').update(text).digest('hex');

async function contentsOf(label: string, files: ImageFile[]): Promise<Content[]> {
  const contents = await pMap(
    files,
    async ({ path, name, contentType }) => ({
      ...{ label, name, contentType, bytes: () => readFile(path) },
      digest: sha256(await readFile(path)),
    }),
    { concurrency: readsAtOnce },
  );
  // an order that does not follow the names (often the order in which they were taken), yet is always the same
  const place = ({ name }: Picture): string => sha256(`${label}/${name}`);
  return contents.sort((a, b) => (place(a) < place(b) ? -1 : 1));
}

/**
 * Deals out the pictures of one label by content. Of an image that is there more than once either every copy is uploaded
 * or none: no model may be scored on what it has learned from. `isShared` knows what other labels have too.
 */
function deal(label: string, contents: Content[], isShared: (digest: string) => boolean): Dealt {
  const shared = contents.filter(({ digest }) => isShared(digest));
  const images = Map.groupBy(contents, ({ digest }) => digest);
  const own = [...images].flatMap(([digest, copies]) => (isShared(digest) ? [] : [copies]));
  if (own.length < leastPerLabel) {
    const isPlain = own.length === contents.length;
    const seen = isPlain
      ? counted(own.length, 'image')
      : `${counted(own.length, 'different image')} that no other label has`;
    throw new Error(`${expectedFolder}: label "${label}" has ${seen}; at least ${leastPerLabel} are needed.`);
  }
  const heldOut = Math.max(1, Math.round(own.length * holdoutShare));
  const later = Math.max(1, Math.round((own.length - heldOut) * secondShare));
  return {
    holdout: own.slice(0, heldOut).flatMap((copies) => copies.slice(0, 1)),
    second: own.slice(heldOut, heldOut + later).flat(),
    // with what is under another label too, so that the second upload always brings something new
    first: [...own.slice(heldOut + later).flat(), ...shared],
  };
}

const differentOf = (contents: Content[]): number => new Set(contents.map(({ digest }) => digest)).size;

async function dealAll(labels: { label: string; files: ImageFile[] }[]): Promise<Dealt> {
  const all: { label: string; contents: Content[] }[] = [];
  for (const { label, files } of labels) all.push({ label, contents: await contentsOf(label, files) });
  const seen = new Map<string, string>();
  const shared = new Set<string>();
  for (const { digest, label } of all.flatMap(({ contents }) => contents)) {
    if ((seen.get(digest) ?? label) !== label) shared.add(digest);
    seen.set(digest, label);
  }
  const dealt = all.map(({ label, contents }) => deal(label, contents, (digest) => shared.has(digest)));
  return {
    first: dealt.flatMap(({ first }) => first),
    second: dealt.flatMap(({ second }) => second),
    holdout: dealt.flatMap(({ holdout }) => holdout),
  };
}

/** What a reader should know before the story: how many images are used for what, and what is not used. */
function notesOn({ first, second, holdout }: Dealt, files: number, labels: number, skipped: Skipped[]): string[] {
  const uploaded = first.length + second.length;
  const copies = uploaded - differentOf([...first, ...second]);
  const leftOut = files - uploaded - holdout.length;
  return [
    `${counted(files, 'image')} with ${labels} labels: ${first.length} for the first upload, ${second.length} for the second, ` +
      `${holdout.length} held out`,
    ...(copies === 0 ? [] : [`among the uploads: ${counted(copies, 'copy', 'copies')} of other images in them`]),
    ...(leftOut === 0 ? [] : [`left out: ${counted(leftOut, 'copy', 'copies')} of held-out images`]),
    ...kindsOf(skipped).map((kind) => `skipped: ${kind}`),
  ];
}

/**
 * Reads a folder and deals its images out: of the different images of every label 15 % are held out, a quarter of the
 * rest comes with the second upload. Throws where there is too little to learn from, with what to add.
 */
export async function readFolder(folder: string): Promise<PictureSet> {
  const { labels, skipped } = await listFolder(folder);
  const files = labels.reduce((sum, { files }) => sum + files.length, 0);
  const skippedToo = skipped.length === 0 ? '' : ` Skipped: ${kindsOf(skipped).join('; ')}.`;
  if (labels.length < 2) {
    const seen = `${folder} has ${counted(labels.length, 'label')} with images, at least 2 are needed.`;
    throw new Error(`${expectedFolder}: ${seen}${skippedToo}`);
  }
  if (files > mostInAll) throw new Error(`${folder} has ${files} images; the demo takes at most ${mostInAll}.`);
  const dealt = await dealAll(labels);
  const { first, second, holdout } = dealt;
  const different = differentOf([...first, ...second, ...holdout]);
  if (different < leastInAll) {
    const seen = `${folder} has ${counted(different, 'different image')}, at least ${leastInAll} are needed.`;
    throw new Error(`${expectedFolder}: ${seen}${skippedToo}`);
  }
  return {
    what: `images of ${folder}`,
    project: 'images',
    settings: settingsFor(different, labels.length, differentOf(second)),
    retraining: {
      question: 'does a hidden layer on what the pretrained network sees do better?',
      trainer: { name: 'embedding', parameters: { head: 'hidden' } },
    },
    notes: notesOn(dealt, files, labels.length, skipped),
    ...{ first, second, holdout },
    leastAccuracy: null,
  };
}

/**
 * Unknown pictures, perhaps few of them. The gate asks for better than guessing, and for nothing where so few are left
 * to test with that the answer would be chance; it notes how always answering the most frequent label would do.
 */
function settingsFor(total: number, labels: number, later: number): PictureSet['settings'] {
  const few = total < fewPictures;
  return {
    gate: { minimum: few ? 0 : Math.min(0.8, 1 / labels), minimumRecall: 0, maxRegression: 0.2, baseline: 'noted' },
    // half of the second upload may turn out to be unreadable
    retrain: { minNewSamples: Math.max(1, Math.min(50, Math.floor(later / 2))) },
    ...(few ? { split: { validationPercent: 20, testPercent: 25 } } : {}),
  };
}
