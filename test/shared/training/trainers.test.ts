import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { builtInTrainers } from '../../../shared/task/classification/trainers.ts';
import {
  builtInDescriptions,
  checkTrainer,
  readTrainers,
  trainerDescriptions,
  unknownTrainers,
} from '../../../shared/training/trainers.ts';

const builtIn = readTrainers('built-in');
type Parameters = Record<string, number | string | boolean>;
const refusal = (name: string, parameters: Parameters): string => {
  const found = checkTrainer(builtIn, 'classification', { name, parameters });
  return found.ok ? 'ok' : `${found.code}: ${found.detail}`;
};

describe('what trainers publish', () => {
  test('names the parameter, what it was, what it has to be, and the trainers that there are', () => {
    expect(refusal('resnet-small', { epochs: 0 })).toBe(
      'invalid-parameters: Trainer "resnet-small" does not take these parameters: epochs is 0 and has to be integer from 1 to 1000, 14 when left out. It takes epochs, batchSize, learningRate, weightDecay, labelSmoothing, patience, shift, scale, rotation, flip, width. There are the trainers auto, embedding, edges, resnet-small, softmax.',
    );
    expect(refusal('softmax', { learningRate: 0 })).toContain('learningRate is 0 and has to be number above 0 to 1');
    expect(refusal('softmax', { flip: 'yes' })).toContain('flip is "yes" and has to be boolean, false when left out');
    expect(refusal('softmax', { width: 8 })).toContain('it has no parameter width. It takes epochs');
    expect(refusal('resnet', {})).toMatch(
      /^unknown-trainer: There is no trainer "resnet" here; there are auto, embedding, edges, resnet-small, softmax/,
    );
    expect(refusal('softmax', { epochs: 3, learningRate: 0.1, flip: true })).toBe('ok');
    expect(refusal('embedding', { head: 'deep' })).toContain(
      'head is "deep" and has to be string one of linear, hidden',
    );
  });

  test('says which task kind it is for: another one is refused', () => {
    expect(checkTrainer(builtIn, 'detection', { name: 'softmax', parameters: {} })).toEqual({
      ok: false,
      code: 'unknown-trainer',
      detail:
        'Trainer "softmax" makes models for the task classification, and this project\'s is detection; for that there are centernet.',
    });
    // even where other trainers may be there that nobody described
    expect(checkTrainer(unknownTrainers, 'classification', { name: 'centernet', parameters: {} })).toMatchObject({
      ok: false,
      code: 'unknown-trainer',
    });
    expect(checkTrainer(builtIn, 'detection', { name: 'centernet', parameters: { epochs: 3 } })).toEqual({ ok: true });
    const both = readTrainers('{"trainers":[{"name":"both"},{"name":"boxes","task":"detection"}]}');
    expect(checkTrainer(both, 'detection', { name: 'both', parameters: {} }).ok).toBe(true);
    expect(checkTrainer(both, 'classification', { name: 'both', parameters: {} }).ok).toBe(true);
    expect(checkTrainer(both, 'classification', { name: 'boxes', parameters: {} }).ok).toBe(false);
  });

  test('of the built-in ones refuses what the trainer would refuse, and nothing else', () => {
    const value = fc.oneof(
      fc.integer({ min: -5, max: 1200 }),
      fc.double({ noNaN: true, min: -2, max: 200 }),
      fc.boolean(),
      fc.string(),
    );
    const names = Object.keys(builtInTrainers['resnet-small'].shape);
    const key = fc.oneof(fc.constantFrom(...names), fc.constantFrom('__proto__', 'constructor', 'depth'));
    const parameters = fc.uniqueArray(fc.tuple(key, value), { selector: ([name]) => name, maxLength: 4 });
    fc.assert(
      fc.property(fc.constantFrom('softmax' as const, 'resnet-small' as const), parameters, (name, given) => {
        const asked = Object.fromEntries(given);
        expect(checkTrainer(builtIn, 'classification', { name, parameters: asked }).ok).toBe(
          builtInTrainers[name].safeParse(asked).success,
        );
      }),
      { numRuns: 500 },
    );
  });

  test('may be nothing: then the job alone checks, and a note says so', () => {
    const mine = readTrainers('{"trainers":[{"name":"mine"}]}');
    expect(checkTrainer(mine, 'classification', { name: 'mine', parameters: { anything: 1 } })).toEqual({
      ok: true,
      note: 'Trainer "mine" publishes no schema: the job alone checks its parameters.',
    });
    expect(checkTrainer(mine, 'classification', { name: 'softmax', parameters: {} })).toMatchObject({
      ok: false,
      code: 'unknown-trainer',
    });
  });

  test('may not be known at all, where nobody said which trainers there are', () => {
    expect(checkTrainer(unknownTrainers, 'classification', { name: 'mine', parameters: { a: 1 } })).toMatchObject({
      ok: true,
      note: expect.stringContaining(
        'No description of a trainer "mine" is known here (known are auto, embedding, edges, resnet-small, softmax)',
      ),
    });
    expect(
      checkTrainer(unknownTrainers, 'classification', { name: 'softmax', parameters: { epochs: 0 } }),
    ).toMatchObject({ ok: false });
  });

  test.each([
    ['built-inn', SyntaxError],
    ['{"trainers":[]}', Error],
    ['{"trainers":[{"name":"Bad Name"}]}', Error],
    ['{"trainers":[{"name":"x","parameters":{"type":"object","properties":{"a":{"type":"nonsense"}}}}]}', Error],
  ])('that cannot be used is refused: %s', (text, kind) => {
    expect(() => readTrainers(text)).toThrow(kind);
  });

  test('is what the contract says', () => {
    expect(trainerDescriptions.parse({ trainers: builtInDescriptions }).trainers).toEqual(builtInDescriptions);
  });
});
