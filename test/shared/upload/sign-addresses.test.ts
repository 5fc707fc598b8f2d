import { describe, expect, test } from 'vitest';
import { projectSettings } from '../../../shared/project/settings.ts';
import { signAddresses } from '../../../shared/upload/sign-addresses.ts';
import { createFakes } from '../../simulation/fakes.ts';

const project = (task: string) => ({
  ...{ id: 'scenes', pk: 'projects', createdAt: '', updatedAt: '' },
  settings: projectSettings.parse({ task }),
});
const sign = (task: string, file: { name: string; annotation?: unknown }) =>
  signAddresses(createFakes().ports, project(task), [{ contentType: 'application/json', ...file }]);

describe('an address for a file of JSON', () => {
  test('is of one that lies beside its picture', async () => {
    const [signed] = await sign('detection', { name: 'a.jpg.json' });
    expect(signed).toMatchObject({ blob: 'scenes/a.jpg.json', headers: { 'content-type': 'application/json' } });
  });

  test.each([
    ['of a project whose kind has none', 'classification', { name: 'a.jpg.json' }, 'files.0.contentType'],
    ['of a name that is no such file', 'detection', { name: 'a.jpg' }, 'files.0.name'],
    ['with an annotation beside it', 'detection', { name: 'a.json', annotation: { boxes: [] } }, 'files.0.annotation'],
  ] as const)('is refused %s', async (_, task, file, target) => {
    await expect(sign(task, file)).rejects.toMatchObject({ code: 'invalid-body', target });
  });
});
