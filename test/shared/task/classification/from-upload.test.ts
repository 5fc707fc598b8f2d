import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromFolder, fromMetadata } from '../../../../shared/task/classification/from-upload.ts';

describe('a label in metadata', () => {
  test.each([
    [{ label: 'cat' }, 'cat'],
    [{ Label: 'cat' }, 'cat'],
    [{ label: 'K%C3%A4fer' }, 'Käfer'],
    [{ label: 'Ka%CC%88fer' }, 'Käfer'],
    [{ label: '100%' }, '100%'],
    [{ label: '100%25' }, '100%'],
    [{ label: ' cat%20' }, 'cat'],
    [{ label: 'toString' }, 'toString'],
  ])('%j is %j', (metadata, label) => {
    expect(fromMetadata(metadata as Record<string, string>)).toEqual({ annotation: { label } });
  });

  test.each(['%00', 'a%2Fb', '', '%20', '__proto__', 'x'.repeat(8000)])('that is none says so: %j', (label) => {
    const read = fromMetadata({ label });
    expect(read).toMatchObject({ problem: { code: 'bad-label', detail: expect.stringContaining('none: ') } });
    expect(JSON.stringify(read).length).toBeLessThan(600);
  });

  test('is the label that the same text is in a name', () => {
    const part = fc.oneof(fc.constantFrom('%', '%25', '%41', '%C3%A4', ' ', 'a', '.'), fc.string({ maxLength: 3 }));
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (parts) => {
        const text = parts.join('').replaceAll(/[/\\]/g, '');
        if (['', '.', '..'].includes(text)) return;
        const named = fromFolder(text);
        const told = fromMetadata({ label: text });
        expect(told !== undefined && 'annotation' in told ? told : null).toEqual('annotation' in named ? named : null);
      }),
      { numRuns: 500 },
    );
  });

  test('there need not be one', () => expect(fromMetadata({ other: 'cat' })).toBeUndefined());
});
