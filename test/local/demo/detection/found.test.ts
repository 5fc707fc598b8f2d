import { describe, expect, test } from 'vitest';
import { countFound } from '../../../../local/demo/detection/found.ts';

const box = (name: string, x: number, score = 0.9) => ({ class: name, x, y: 0, width: 10, height: 10, score });

describe('what a model found', () => {
  test('is an object with a box of its class around it, once', () => {
    const scene = { boxes: [box('cat', 0), box('dog', 20), box('dog', 40)] };
    expect(countFound(scene, [box('cat', 3), box('cat', 1), box('dog', 0), box('dog', 44)])).toEqual({
      objects: 3,
      found: 1,
      wrong: 3,
    });
    expect(countFound(scene, [box('dog', 21), box('dog', 41), box('cat', 0)])).toEqual({
      objects: 3,
      found: 3,
      wrong: 0,
    });
    expect(countFound({ boxes: [] }, [])).toEqual({ objects: 0, found: 0, wrong: 0 });
  });
});
