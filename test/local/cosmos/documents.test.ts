import { describe, expect, test } from 'vitest';
import { checkId } from '../../../local/cosmos/documents.ts';
import { keyOf, keyOfHeader, scopeOfHeader } from '../../../local/cosmos/partition-key.ts';
import { applyPatch, parsePatch } from '../../../local/cosmos/patch.ts';
import { containerRid, databaseRid, documentRids, partitionKeyRangeRid } from '../../../local/cosmos/resource-id.ts';

const bytes = (rid: string): number[] => [...Buffer.from(rid.replaceAll('-', '/'), 'base64')];

describe('resource ids', () => {
  test('hold the numbers of the resource and its parents', () => {
    expect(bytes(databaseRid(258))).toEqual([0, 0, 1, 2]);
    expect(bytes(containerRid(1, 3))).toEqual([0, 0, 0, 1, 0x80, 0, 0, 3]);
    expect(bytes(documentRids(1, 3)(2 ** 32 + 5))).toEqual([0, 0, 0, 1, 0x80, 0, 0, 3, 5, 0, 0, 0, 1, 0, 0, 0]);
  });

  test('tell documents from partition key ranges by the high half of the last byte', () => {
    expect((bytes(documentRids(1, 3)(7)).at(-1) ?? 0) >> 4).toBe(0);
    expect((bytes(partitionKeyRangeRid(1, 3)).at(-1) ?? 0) >> 4).toBe(5);
  });
});

describe('partition keys', () => {
  test('of a document and of its header are the same text', () => {
    expect(keyOf(['/a/b'], { a: { b: 'x' } })).toBe(keyOfHeader(['/a/b'], '[ "x" ]'));
    expect(keyOf(['/a'], {})).toBe(keyOfHeader(['/a'], '[{}]'));
    expect(keyOf(['/a'], { a: null })).toBe(keyOfHeader(['/a'], '[null]'));
    expect(keyOf(['/a'], { a: 1 })).not.toBe(keyOfHeader(['/a'], '["1"]'));
  });

  test('of hierarchical containers can be given in part, for reading', () => {
    expect(scopeOfHeader(['/a', '/b'], '["x"]')).toEqual({ kind: 'prefix', key: '["x",' });
    expect(scopeOfHeader(['/a', '/b'], '["x","y"]')).toEqual({ kind: 'partition', key: '["x","y"]' });
    expect(() => keyOfHeader(['/a', '/b'], '["x"]')).toThrow(/incomplete/);
  });

  test.each(['x', '{}', '[[]]', '[{"a":1}]'])('refuse the header %s', (header) => {
    expect(() => scopeOfHeader(['/a'], header)).toThrow(expect.objectContaining({ status: 400 }));
  });
});

test.each(['', 'a/b', 'a\\b', 'a?', '#', 'end ', 'é'.repeat(512), 1, undefined])('%s is no id', (id) => {
  expect(() => checkId(id)).toThrow(expect.objectContaining({ status: 400 }));
});

describe('patches', () => {
  const patched = (document: Record<string, unknown>, operations: unknown): unknown => {
    applyPatch(document, parsePatch(operations).operations);
    return document;
  };

  test('reach names with slashes and tildes', () => {
    expect(patched({ 'a/b': { '~': 1 } }, [{ op: 'set', path: '/a~1b/~0', value: 2 }])).toEqual({ 'a/b': { '~': 2 } });
  });

  test('cannot change a prototype', () => {
    patched({}, [{ op: 'set', path: '/__proto__', value: { polluted: true } }]);
    expect(() => patched({}, [{ op: 'set', path: '/constructor/prototype/polluted', value: true }])).toThrow(
      /does not exist/,
    );
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test.each([
    [{ op: 'set', path: '/list/9', value: 1 }],
    [{ op: 'remove', path: '/none' }],
    [{ op: 'incr', path: '/text', value: 1 }],
    [{ op: 'set', path: '/none/deep', value: 1 }],
    [{ op: 'move', from: '/o', path: '/o/x' }],
    [{ op: 'set', path: '/_etag', value: 1 }],
    [{ op: 'unknown', path: '/x' }],
    [{ op: 'set', path: 'x', value: 1 }],
  ])('refuse %j', (operation) => {
    expect(() => patched({ list: [1], text: 'a', o: {} }, [operation])).toThrow(
      expect.objectContaining({ status: 400 }),
    );
  });
});
