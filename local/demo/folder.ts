/** Pictures of a folder `<label>/<file>`: JPEG, PNG and WebP of any size. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { className } from '../../shared/names.ts';
import type { Picture, PictureSet } from './pictures.ts';

const typeOf: Record<string, Picture['contentType']> = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.webp': 'image/webp',
};
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
/** of the uploaded pictures, with the splits below */
const trainShare = 0.55;
/** the trainer's defaults, and what it takes to learn something */
const batchSize = 32;
const usualEpochs = 14;
const wantedSteps = 200;
const mostEpochs = 100;
const maxNameLength = 200;

async function picturesOf(folder: string, label: string): Promise<Picture[]> {
  const files = await readdir(path.join(folder, label), { withFileTypes: true });
  const pictures = files.flatMap((file): Picture[] => {
    const extension = path.extname(file.name).toLowerCase();
    const contentType = typeOf[extension];
    if (!file.isFile() || file.name.startsWith('.') || contentType === undefined) return [];
    // a name that the API would refuse says nothing that the demo needs
    const plain = file.name.length <= maxNameLength && /^[\w.() -]+$/u.test(file.name);
    const name = plain ? file.name : `${createHash('sha256').update(file.name).digest('hex').slice(0, 20)}${extension}`;
    return [
      { label: label.normalize('NFC'), name, contentType, bytes: () => readFile(path.join(folder, label, file.name)) },
    ];
  });
  // an order that does not follow the names (often the order in which they were taken), yet is always the same
  const place = (picture: Picture): string => createHash('sha256').update(`${label}/${picture.name}`).digest('hex');
  return pictures.sort((a, b) => (place(a) < place(b) ? -1 : 1));
}

/**
 * Reads a folder's names (not its pictures) and deals them out: of every label 15 % are held out, a quarter of the rest
 * comes with the second upload. Throws where there is too little to learn from, with what to add.
 */
export async function readFolder(folder: string): Promise<PictureSet> {
  const expected = 'Expected a folder of `<label>/<file>` with JPEG, PNG or WebP images';
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: NodeJS.ErrnoException) => {
    throw new Error(`${expected}; seen: ${folder} cannot be read (${cause.code ?? cause.message}).`, { cause });
  });
  const names = entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map((entry) => entry.name)
    .sort();
  const wrong = names.find((name) => !className.safeParse(name.normalize('NFC')).success);
  if (wrong !== undefined) throw new Error(`${JSON.stringify(wrong)} cannot be a label. Rename that folder.`);
  const set: PictureSet = {
    what: `images of ${folder}`,
    project: 'images',
    settings: {},
    first: [],
    second: [],
    holdout: [],
    leastAccuracy: null,
  };
  let labels = 0;
  for (const label of names) {
    const pictures = await picturesOf(folder, label);
    if (pictures.length === 0) continue;
    if (pictures.length < leastPerLabel) {
      throw new Error(
        `${expected}: label "${label}" has ${pictures.length} of them, at least ${leastPerLabel} are needed.`,
      );
    }
    labels += 1;
    const heldOut = Math.max(1, Math.round(pictures.length * holdoutShare));
    const later = Math.max(1, Math.round((pictures.length - heldOut) * secondShare));
    set.holdout.push(...pictures.slice(0, heldOut));
    set.second.push(...pictures.slice(heldOut, heldOut + later));
    set.first.push(...pictures.slice(heldOut + later));
  }
  const total = set.first.length + set.second.length + set.holdout.length;
  if (labels < 2) throw new Error(`${expected}: ${folder} has ${labels} label(s) with images, at least 2 are needed.`);
  if (total < leastInAll) throw new Error(`${expected}: ${total} found, at least ${leastInAll} are needed.`);
  if (total > mostInAll) throw new Error(`${folder} has ${total} images; the demo takes at most ${mostInAll}.`);
  set.settings = settingsFor(total, labels, set.first.length, set.second.length);
  return set;
}

/**
 * Unknown pictures, perhaps few of them. The gate asks for better than guessing, and for nothing where so few are left
 * to test with that the answer would be chance. Few pictures make few steps per epoch, so they get more epochs.
 */
function settingsFor(total: number, labels: number, uploaded: number, later: number): PictureSet['settings'] {
  const few = total < fewPictures;
  const stepsPerEpoch = Math.max(1, Math.floor((uploaded * trainShare) / batchSize));
  const epochs = Math.min(mostEpochs, Math.ceil(wantedSteps / stepsPerEpoch));
  return {
    gate: { minimum: few ? 0 : Math.min(0.8, 1 / labels), minimumRecall: 0, maxRegression: 0.2 },
    // half of the second upload may turn out to be duplicates or unreadable
    retrain: { minNewSamples: Math.max(1, Math.min(50, Math.floor(later / 2))) },
    ...(few ? { split: { validationPercent: 20, testPercent: 25 } } : {}),
    ...(epochs > usualEpochs ? { trainer: { parameters: { epochs, patience: epochs } } } : {}),
  };
}
