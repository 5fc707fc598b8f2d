/** The DVC export of versions that are too large for it. */
import { expect, test } from 'vitest';
import { exportRoutes } from '../../../../functions/http/api/export.ts';
import type { Call, HttpPorts } from '../../../../functions/http/route.ts';
import { createFakes } from '../../../simulation/fakes.ts';

test('a version of more files than are exported is refused, unless its export was made before', async () => {
  const world = createFakes();
  world.put('projects', { id: 'p', pk: 'projects' } as never);
  world.put('versions', { id: 'v1', pk: 'p', version: 'v1', number: 7, samples: 250_001, root: '0' } as never);
  const [exported] = exportRoutes;
  const call = { params: { project: 'p', version: 'v1' }, base: 'http://a/api/v1' } as unknown as Call<
    unknown,
    unknown
  >;
  const ask = async () => exported?.handle(world.ports as unknown as HttpPorts, call);
  await expect(ask()).rejects.toMatchObject({
    status: 409,
    code: 'version-too-large',
    message: expect.stringMatching(
      /^Version 7 has 250001 .* GET http:\/\/a\/api\/v1\/projects\/p\/versions\/7\/samples/,
    ),
  });
  await world.ports.blobs.create('datasets', 'p/dvc/v1.dvc', 'outs:');
  expect(await ask()).toMatchObject({ status: 200, text: 'outs:' });
});
