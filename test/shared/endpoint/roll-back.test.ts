import { describe, expect, test } from 'vitest';
import { applyToEndpoint } from '../../../shared/endpoint/apply.ts';
import { rollBack, whyNoRollback } from '../../../shared/endpoint/roll-back.ts';
import type { EndpointDocument } from '../../../shared/endpoint/document.ts';
import type { ModelDocument } from '../../../shared/model/document.ts';
import { modelId } from '../../../shared/model/register.ts';
import { createFakes } from '../../simulation/fakes.ts';

const cause = { id: 'test' };
const at = '2026-03-01T12:00:00.000Z';
const project = 'digits';

/** An endpoint that served so many models, one after the other. */
async function served(models: number) {
  const world = createFakes();
  for (let model = 1; model <= models; model++) {
    const state = 'approved' as const;
    world.put('models', { id: modelId(model), pk: project, number: model, state } as ModelDocument);
    const target = { model, digest: `digest-${model}`, deployment: `d-${model}` };
    const by = { by: 'pipeline', reason: 'approved', at, keepNewer: false };
    await applyToEndpoint(world.ports, project, { kind: 'deploy', target, canary: null, ...by }, cause);
  }
  const endpoint = async () => {
    const stored = await world.ports.documents.read('endpoints', project, 'endpoint');
    if (stored === undefined) throw new Error('there is no endpoint');
    return stored;
  };
  return {
    endpoint,
    reject: (model: number) =>
      world.put('models', { id: modelId(model), pk: project, number: model, state: 'rejected' } as ModelDocument),
    rollBack: async (deployment: string): Promise<number | undefined> => {
      const rollback = { by: 'operator', reason: 'wrong answers', at, deployment };
      const after = await rollBack(world.ports, await endpoint(), rollback, cause);
      return (after as EndpointDocument | undefined)?.production?.model;
    },
  };
}

describe('rolling back', () => {
  test('again and again goes further back, and then says why it does not', async () => {
    const { rollBack: back, endpoint } = await served(3);
    expect(await back('b-1')).toBe(2);
    expect(await back('b-2')).toBe(1);
    expect(await back('b-3')).toBeUndefined();
    expect((await endpoint()).document.production?.model).toBe(1);
    expect(whyNoRollback((await endpoint()).document)).toBe(
      'There is no earlier model to return to: a rollback never leads to a model that was rolled back or rejected since it was live (2, 3). To have one of them again, deploy it.',
    );
  });

  test('passes over what was rejected since it was live', async () => {
    const { rollBack: back, reject, endpoint } = await served(4);
    reject(3);
    reject(2);
    expect(await back('b-1')).toBe(1);
    expect(await back('b-2')).toBeUndefined();
    expect(whyNoRollback((await endpoint()).document)).toContain('rejected since it was live (2, 3, 4)');
  });

  test('of a first model says that there is none before it', async () => {
    const { rollBack: back, endpoint } = await served(1);
    expect(await back('b-1')).toBeUndefined();
    expect(whyNoRollback((await endpoint()).document)).toBe('There is no earlier model to return to.');
  });
});
