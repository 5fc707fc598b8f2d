import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { BusMessage } from '../../../local/service-bus/message.ts';
import { Waiting } from '../../../local/service-bus/waiting.ts';

const message = (sequence: number): BusMessage => ({ sequence }) as BusMessage;

test('the message with the smallest number goes first, however many were taken and given back', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('add', 'add', 'take', 'take', 'requeue'), { maxLength: 400 }), (steps) => {
      const waiting = new Waiting();
      const expected: number[] = [];
      const taken: number[] = [];
      let last = 0;
      for (const step of steps) {
        if (step === 'add') {
          expected.push(++last);
          waiting.add(message(last));
        } else if (step === 'take') {
          const smallest = expected.sort((a, b) => a - b).shift();
          expect(waiting.take()?.sequence).toBe(smallest);
          if (smallest !== undefined) taken.push(smallest);
        } else {
          const back = taken.pop();
          if (back === undefined) continue;
          expected.push(back);
          waiting.requeue(message(back));
        }
        expect(waiting.size).toBe(expected.length);
      }
      expect(new Set(waiting.all().map(({ sequence }) => sequence))).toEqual(new Set(expected));
    }),
  );
});
