import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { shareReads } from '../../../shared/azure/share-reads.ts';

describe('reads of the same thing at once', () => {
  test('are two requests, however many ask: the one that runs, and the next for all others', async () => {
    const share = shareReads<number>();
    const pending: PromiseWithResolvers<number>[] = [];
    const load = (): Promise<number> => {
      const one = Promise.withResolvers<number>();
      pending.push(one);
      return one.promise;
    };
    const asked = Array.from({ length: 16 }, () => share('head', load));
    expect(pending).toHaveLength(1);
    pending[0]?.resolve(1);
    expect(await asked[0]).toBe(1);
    expect(pending).toHaveLength(2);
    pending[1]?.resolve(2);
    expect(await Promise.all(asked.slice(1))).toEqual(Array.from({ length: 15 }, () => 2));
    void share('head', load);
    expect(pending).toHaveLength(3);
  });

  test('of other things do not wait for each other', async () => {
    const share = shareReads<string>();
    void share('a', () => new Promise(() => undefined));
    expect(await share('b', () => Promise.resolve('found'))).toBe('found');
  });

  test('that fail, fail for those who share them alone', async () => {
    const share = shareReads<string>();
    const failed = share('a', () => Promise.reject(new Error('away')));
    const next = share('a', () => Promise.resolve('back'));
    await expect(failed).rejects.toThrow('away');
    expect(await next).toBe('back');
  });

  test('never find less than was written before they were asked for', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.integer({ min: 2, max: 12 }), async (scheduler, readers) => {
        const share = shareReads<number>();
        let written = 0;
        const load = async (): Promise<number> => {
          const found = written;
          await scheduler.schedule(Promise.resolve());
          return found;
        };
        const reads = Array.from({ length: readers }, async () => {
          await scheduler.schedule(Promise.resolve());
          const mine = ++written;
          expect(await share('head', load)).toBeGreaterThanOrEqual(mine);
        });
        await scheduler.waitFor(Promise.all(reads));
      }),
    );
  });
});
