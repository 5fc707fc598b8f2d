/** What an exported model has beside it. */
import { strFromU8, unzipSync } from 'fflate';
import { expect, test } from 'vitest';
import { createImageReader } from '../../../../shared/image/decode.ts';
import { goldenPicture, goldenSize } from '../../../../shared/model/export/golden.ts';
import { zipOf } from '../../../../shared/model/export/zip.ts';
import { taskOf } from '../../../../shared/task/task.ts';
import { validateModel } from '../../../../shared/onnx/validate.ts';
import { exported, tasks } from './exported.ts';

test.for(tasks)(
  'a model for %s comes with labels, a golden input and what it answers, and is the same archive each time',
  async (task) => {
    const archive = await exported(task);
    expect((await exported(task)).equals(archive)).toBe(true);
    const files = unzipSync(archive);
    const text = (name: string): string => strFromU8(files[name] ?? new Uint8Array());
    const model = JSON.parse(text('model.json')) as {
      classes: string[];
      image: { width: number; height: number; channels: 1 | 3 };
    };
    const { width, height, channels } = model.image;
    const ends = taskOf({ task }).ends(model.classes, { width, height, channels });
    expect(validateModel(files['model.onnx'] ?? new Uint8Array(), ends)).toMatchObject({ ok: true });
    expect(text('labels.txt')).toBe('cat\ndog\n');
    expect(files['golden.f32']?.length).toBe(width * height * channels * 4);
    const golden = JSON.parse(text('golden.json')) as { outputs: Record<string, { dims: number[]; data: number[] }> };
    expect(Object.keys(golden.outputs)).toEqual(ends.outputs.map(({ name }) => name));
    for (const { dims, data } of Object.values(golden.outputs))
      expect(data.length).toBe(dims.reduce((a, b) => a * b, 1));
    expect(golden).toMatchObject({ prediction: expect.anything() as unknown });
    const page = text('README.md');
    for (const { name } of ends.outputs) expect(page).toContain(`output \`${name}\``);
    expect(page).toContain(`${width} by ${height} pixels`);
    for (const language of ['py', 'mjs', 'cs', 'sh']) expect(text(`example.${language}`).length).toBeGreaterThan(300);
    expect(text('example.sh')).toContain('/projects/pets/score?model=3');
  },
);

test('the golden picture is one that is taken', async () => {
  const found = await createImageReader().inspect(goldenPicture(), 'image/png');
  expect(found).toMatchObject({ ok: true, ...goldenSize });
});

test('an archive that cannot be read to its end is no archive', async () => {
  async function* broken() {
    yield Buffer.from('a');
    await Promise.resolve();
    throw new RangeError('gone');
  }
  const parts = zipOf([{ name: 'a', content: broken() }], new Date('2026-12-01'));
  await expect(async () => {
    for await (const _part of parts);
  }).rejects.toThrow(RangeError);
});
