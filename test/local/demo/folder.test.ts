import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readFolder } from '../../../local/demo/folder.ts';
import type { Picture } from '../../../local/demo/pictures.ts';
import { projectSettings } from '../../../shared/project/settings.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'demo-folder-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function put(place: string, content = place): Promise<void> {
  const file = path.join(folder, place);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, content);
}

async function fill(label: string, images: number): Promise<void> {
  for (let i = 0; i < images; i += 1) await put(`${label}/${i} ü.${['png', 'JPG', 'webp'][i % 3]}`);
}

const countOf = (pictures: Picture[]) => [...Map.groupBy(pictures, (p) => p.label)].map(([l, p]) => [l, p.length]);
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const digestsOf = (pictures: Picture[]) => Promise.all(pictures.map(async (picture) => sha256(await picture.bytes())));

describe('a folder of images', () => {
  test('gives 15 % of every label to the holdout and a quarter of the rest to the second upload', async () => {
    await fill('cat', 20);
    await fill('dög', 20);
    const set = await readFolder(folder);
    expect(countOf(set.holdout)).toEqual([
      ['cat', 3],
      ['dög'.normalize('NFC'), 3],
    ]);
    expect(countOf(set.second)).toEqual([
      ['cat', 4],
      ['dög'.normalize('NFC'), 4],
    ]);
    expect(set.first).toHaveLength(26);
    expect(new Set(set.first.map((p) => p.contentType))).toEqual(new Set(['image/png', 'image/jpeg', 'image/webp']));
    expect(projectSettings.safeParse(set.settings).success).toBe(true);
    expect(set.notes).toEqual(['40 images with 2 labels: 26 for the first upload, 8 for the second, 6 held out']);
    expect((await readFolder(folder)).first.map((p) => p.name)).toEqual(set.first.map((p) => p.name));
  });

  test('says what it skips, by kind', async () => {
    await fill('cat', 20);
    await fill('dog', 20);
    for (const file of ['cat/a.HEIC', 'dog/b.heic', 'dog/c.gif', 'dog/scan', 'dog/more/d.png', 'list.csv', '.git/x'])
      await put(file);
    await put('cat/.DS_Store');
    await put(`cat/strange.\u001B[2J`);
    await symlink('nowhere', path.join(folder, 'cat', 'link.png'));
    await mkdir(path.join(folder, 'bird'));
    const { notes } = await readFolder(folder);
    expect(notes[0]).toMatch(/^40 images with 2 labels/);
    expect(notes.slice(1).sort()).toEqual([
      'skipped: 1 .gif file: dog/c.gif',
      'skipped: 1 file in a folder inside a label folder: dog/more/d.png',
      'skipped: 1 file outside the label folders: list.csv',
      'skipped: 1 file without an extension: dog/scan',
      'skipped: 1 label folder with nothing in it: bird',
      'skipped: 1 other file: cat/strange.?[2J',
      'skipped: 1 symbolic link, which is not followed: cat/link.png',
      'skipped: 2 .heic files, e.g. cat/a.HEIC',
      'skipped: 2 files and folders with hidden names, e.g. .git',
    ]);
  });

  test('with a label folder that has files, yet no image, is refused', async () => {
    await fill('cat', 20);
    await fill('dog', 20);
    await put('bird/1.heic');
    await put('bird/2.heic');
    await expect(readFolder(folder)).rejects.toThrow(
      /bird has none, only 2 \.heic files, e\.g\. .*Convert or move them/,
    );
  });

  test('that holds too little is refused with what is needed', async () => {
    await expect(readFolder(path.join(folder, 'nowhere'))).rejects.toThrow(/seen: there is no .*nowhere/);
    await fill('cat', 5);
    await expect(readFolder(path.join(folder, 'cat', '0 ü.png'))).rejects.toThrow(/is not a folder/);
    await expect(readFolder(path.join(folder, 'cat'))).rejects.toThrow(
      /has 0 labels with images, at least 2 are needed\. Skipped: 5 files outside the label folders/,
    );
    await expect(readFolder(folder)).rejects.toThrow(/has 1 label with images, at least 2/);
    await fill('dog', 5);
    await expect(readFolder(folder)).rejects.toThrow(/has 10 different images, at least 20 are needed/);
    await put('few/one.png');
    await expect(readFolder(folder)).rejects.toThrow(/label "few" has 1 image; at least 4 are needed/);
  });
});

describe('copies in a folder', () => {
  test('are never both uploaded and held out, and the holdout stays 15 % of the different images', async () => {
    await fill('cat', 40);
    await fill('dog', 40);
    for (let i = 0; i < 40; i += 1) await put(`cat/copy ${i}.png`, `cat/${i} ü.${['png', 'JPG', 'webp'][i % 3]}`);
    const { first, second, holdout, notes } = await readFolder(folder);
    const heldOut = await digestsOf(holdout);
    const uploaded = await digestsOf([...first, ...second]);
    expect(uploaded.filter((digest) => heldOut.includes(digest))).toEqual([]);
    expect(new Set(heldOut).size).toBe(heldOut.length);
    expect(countOf(holdout)).toEqual([
      ['cat', 6],
      ['dog', 6],
    ]);
    // the second upload brings something new, whatever is copied
    const before = await digestsOf(first);
    expect((await digestsOf(second)).filter((digest) => before.includes(digest))).toEqual([]);
    expect(notes).toEqual([
      '120 images with 2 labels: 75 for the first upload, 27 for the second, 12 held out',
      'among the uploads: 34 copies of other images in them',
      'left out: 6 copies of held-out images',
    ]);
  });

  test('under another label are uploaded first, and not held out', async () => {
    await fill('cat', 20);
    await fill('dog', 20);
    for (let i = 0; i < 10; i += 1) await put(`dog/cat ${i}.png`, `cat/${i} ü.${['png', 'JPG', 'webp'][i % 3]}`);
    const { first, second, holdout, notes } = await readFolder(folder);
    const names = [...second, ...holdout].map(({ label, name }) => `${label}/${name}`);
    expect(names.filter((name) => name.startsWith('dog/cat'))).toEqual([]);
    expect(countOf(holdout)).toEqual([
      ['cat', 2],
      ['dog', 3],
    ]);
    expect(first.length + second.length + holdout.length).toBe(50);
    expect(notes[1]).toBe('among the uploads: 10 copies of other images in them');
  });

  test('that leave nothing to hold out are refused', async () => {
    await fill('cat', 20);
    for (let i = 0; i < 20; i += 1) await put(`dog/${i}.png`, 'the same dog');
    await expect(readFolder(folder)).rejects.toThrow(
      /label "dog" has 1 different image that no other label has; at least 4 are needed/,
    );
  });
});
