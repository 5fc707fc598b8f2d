import { BlobServiceClient } from '@azure/storage-blob';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { className, isAddressable, projectName, unassignedProject } from '../../../shared/names.ts';
import { blobOf, readUploadName, uploadId, uploadPartition } from '../../../shared/upload/name.ts';
import { fromFolder, toFolder } from '../../../shared/task/classification/from-upload.ts';
import { samplePartition } from '../../../shared/sample/partition.ts';

/** The label that a classifier's project reads from it. */
function labelOf(name: string): string | null {
  const { folder } = readUploadName(name);
  const read = fromFolder(folder ?? '');
  return folder !== null && 'annotation' in read ? read.annotation.label : null;
}

function understood(name: string) {
  const { project, folder, problem } = readUploadName(name);
  const label = labelOf(name);
  return { project, label, problem: problem !== null || (folder !== null && label === null) };
}

describe("an upload's name", () => {
  test.each([
    ['digits/7/a.png', 'digits', '7', false],
    ['digits/a.png', 'digits', null, false],
    ['digits/Ä ö 猫 🐈‍⬛/b 1.png', 'digits', 'Ä ö 猫 🐈‍⬛', false],
    ['digits/Cafe\u0301/a.png', 'digits', 'Café', false],
    ['digits/7/🐈.png', 'digits', '7', false],
    [`digits/7/${'x'.repeat(1015)}`, 'digits', '7', false],
    [`digits/7/${'x'.repeat(1016)}`, 'digits', null, true],
    ['digits', 'digits', null, true],
    ['digits/', 'digits', null, true],
    ['digits//a.png', 'digits', null, true],
    ['digits/7/', 'digits', null, true],
    ['digits/../other/a.png', 'digits', null, true],
    ['digits/./a.png', 'digits', null, true],
    ['digits/7/..', 'digits', null, true],
    ['digits/7/8/a.png', 'digits', null, true],
    ['digits/7\\a.png', 'digits', null, true],
    ['digits/a\u0000.png', 'digits', null, true],
    ['digits/a\n.png', 'digits', null, true],
    ['digits/\ud83d/a.png', 'digits', null, true],
    ['digits/\ufffe/a.png', 'digits', null, true],
    ['digits/ 7\u00a0/a.png', 'digits', '7', false],
    ['digits/100%/a.png', 'digits', '100%', false],
    ['digits/100%25/a.png', 'digits', '100%', false],
    ['digits/K%C3%A4fer/a.png', 'digits', 'Käfer', false],
    ['digits/a%2Fb/a.png', 'digits', null, true],
    ['digits/%20/a.png', 'digits', null, true],
    ['digits/constructor/a.png', 'digits', 'constructor', false],
    ['digits/__proto__/a.png', 'digits', null, true],
    [`digits/${'l'.repeat(101)}/a.png`, 'digits', null, true],
    ['Digits/7/a.png', unassignedProject, null, true],
    ['DIGITS/a.png', unassignedProject, null, true],
    ['../digits/7/a.png', unassignedProject, null, true],
    ['/digits/7/a.png', unassignedProject, null, true],
    ['digits\n/7/a.png', unassignedProject, null, true],
    ['', unassignedProject, null, true],
  ])('%j belongs to %s with the label %j', (name, project, label, problem) => {
    expect(understood(name)).toEqual({ project, label, problem });
  });

  test('is understood with every label that is a class name: what an address is given for is not quarantined', () => {
    const odd = fc.constantFrom('\ufdd0', '\ufffe', '\u{1ffff}', '\u202e', '\u200d', '.', '..', ' ', '%2e', '%25', '%');
    fc.assert(
      fc.property(fc.array(fc.oneof(odd, fc.string({ maxLength: 3, unit: 'binary' })), { maxLength: 5 }), (parts) => {
        const { success, data: label = '' } = className.safeParse(parts.join(''));
        const read = understood(`digits/${toFolder({ label })}/a.png`);
        if (success) expect(read).toEqual({ project: 'digits', label, problem: false });
      }),
      { numRuns: 500 },
    );
    for (const none of ['a\ufffe', '\ufdd0', '\u{1ffff}']) expect(className.safeParse(none).success).toBe(false);
  });

  test('that is not understood says why and what to do', () => {
    expect(readUploadName('digits/../a.png').problem).toEqual({
      code: 'bad-name',
      detail:
        'The blob\'s name was not understood: it has an empty part, "." or "..". Name uploads {project}/{label}/{file} or {project}/{file}.',
    });
  });

  test('is never more than a project and a label, whatever it is', () => {
    const part = fc.oneof(
      fc.string({ maxLength: 20, unit: 'binary' }),
      fc.string({ maxLength: 20, unit: 'grapheme' }),
      fc.constantFrom('digits', '..', '.', '', 'a.png', '%2e%2e', 'constructor'),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
        const { project, folder, problem } = readUploadName(parts.join('/'));
        const label = labelOf(parts.join('/'));
        expect(project === unassignedProject || projectName.safeParse(project).success).toBe(true);
        if (label !== null) expect(className.parse(label)).toBe(label);
        if (problem !== null) expect(folder).toBeNull();
      }),
      { numRuns: 1000 },
    );
  });
});

test('a blob that the storage SDK would look for elsewhere is known by its name', () => {
  const container = new BlobServiceClient('https://a.blob.core.windows.net').getContainerClient('uploads');
  const part = fc.oneof(
    fc.constantFrom('.', '..', '...', '\\', '%2e', '%2E%2e', '%5c', ' ', '', 'a', '?', '#', '\t', '\n', '..%2f'),
    fc.string({ maxLength: 4, unit: 'grapheme' }),
  );
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), fc.constantFrom('/', ''), (parts, between) => {
      const name = parts.join(between);
      if (name === '' || !isAddressable(name)) return;
      // where the client that sends it will really go
      const asked = new URL(container.getBlobClient(name).url).pathname;
      expect(decodeURIComponent(asked.slice('/uploads/'.length))).toBe(name);
    }),
    { numRuns: 1000 },
  );
});

describe('identities', () => {
  test("a blob event's subject gives the real container and name", () => {
    const subject = (rest: string): string => `/blobServices/default/containers/${rest}`;
    expect(blobOf(subject('uploads/blobs/digits/7/a b.png'))).toEqual({
      container: 'uploads',
      name: 'digits/7/a b.png',
    });
    expect(blobOf(subject('uploads/blobs/blobs/x'))).toEqual({ container: 'uploads', name: 'blobs/x' });
    expect(blobOf(subject('uploads/blobs/a\nb'))).toEqual({ container: 'uploads', name: 'a\nb' });
    for (const wrong of ['', 'uploads/blobs/', subject('uploads'), subject('Up/blobs/a'), `x${subject('u/blobs/a')}`])
      expect(blobOf(wrong)).toBeUndefined();
  });

  test('an upload is one write: the same name with another etag is another one', () => {
    const id = uploadId('digits/7/a.png', '0x8D');
    expect(id).toMatch(/^u[0-9a-f]{31}$/);
    expect(uploadId('digits/7/a.png', '0x8D')).toBe(id);
    expect(uploadId('digits/7/a.png', '0x8E')).not.toBe(id);
    expect(uploadPartition('digits', id)).toBe(`digits:${id[1]}`);
    expect(samplePartition('digits', 'abcdef')).toBe('digits:ab');
  });
});
