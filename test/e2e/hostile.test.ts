/** Requests that mean harm, on a real platform: what they are answered, and that nothing breaks, changes or gets stuck. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { attack, describe as said } from '../hostile/attack.ts';
import { bodies } from '../hostile/bodies.ts';
import { type Result, report } from '../hostile/case.ts';
import { startTarget, type Target } from '../hostile/platform.ts';
import { sendBody } from '../hostile/handlers.ts';
import type { Context } from '../hostile/requests.ts';
import { type Operation, readOperations } from './contract.ts';

let target: Target;
let operations: Operation[];
let context: Context & { origin: string };

beforeAll(async () => {
  target = await startTarget();
  operations = await readOperations(target.origin, target.keyOf('viewer'));
  const { origin, params, picture } = target;
  context = { operations, params, picture, origin, host: new URL(origin).host, key: target.keyOf('operator') };
}, 120_000);
afterAll(() => target?.close(), 60_000);

describe('hostile requests', () => {
  test('have a body: each is refused with the field that is wrong', async () => {
    const results: Result[] = [];
    for (const { name, input, expected } of bodies)
      results.push({ kind: 'JSON body', name, expected, outcome: await sendBody(context, input) });
    console.log(report(results).join('\n'));
    expect(results.filter(({ outcome, expected }) => outcome !== expected)).toEqual([]);
  }, 60_000);

  test('made from the OpenAPI document never meet a server error, and end no process', async () => {
    const pid = target.platform.functions?.workerPid();
    const { violations } = await attack(context, { seed: 1, from: 0, to: 500 });
    expect(violations.map((one) => said(one, 1))).toEqual([]);
    expect(target.platform.functions?.workerPid()).toBe(pid);
    expect(target.platform.functions?.restarts()).toBe(0);
  }, 120_000);
});
