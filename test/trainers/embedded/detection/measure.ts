/**
 * `npm run measure:detector`: runs a job on the demo's scenes as a platform would, on one thread, and measures the model on
 * scenes that were held out. Prints one row of the table in docs/trainers.md. Linux, macOS.
 *   --scenes 300   of which every tenth validates
 *   --copies 3 --epochs 10 --seed 1
 */
import { createHash } from 'node:crypto';
import { parseArgs } from 'node:util';
import { readScenes } from '../../../../local/demo/detection/scenes.ts';
import type { ImageSpec } from '../../../../shared/image/size.ts';
import type { Shown } from '../../../../trainers/embedded/detection/evaluate.ts';
import type { Subject } from '../../conformance/attempt.ts';
import type { Sample } from '../../conformance/samples.ts';

const text = (value: string) => ({ type: 'string', default: value }) as const;
const options = { scenes: text('300'), copies: text('3'), epochs: text('10'), seed: text('1') };
const { scenes, copies, epochs, seed } = parseArgs({ options }).values;
const classes = ['animal', 'fruit', 'instrument', 'vehicle'];
const image: ImageSpec & { fit: 'letterbox' } = { width: 320, height: 320, channels: 3, fit: 'letterbox' };
/** the same ones, however many are learned from */
const heldOut = [10_000, 10_100] as const;
const mostSeconds = 3600;

const draw = async (from: number, to: number) => {
  const drawn = [];
  for (const scene of await readScenes(from, to)) drawn.push({ boxes: scene.boxes, bytes: await scene.bytes() });
  return drawn;
};
const taught = await draw(0, Number(scenes));
const unseen = await draw(...heldOut);

// scenes are SVG, which nothing in a process reads any more once it has the decoder of scans
const { toPlacedTensor } = await import('../../../../shared/image/tensor.ts');
const { floatTensor, openGraph } = await import('../../../../shared/onnx/engine.ts');
const { averagePrecision } = await import('../../../../trainers/embedded/detection/evaluate.ts');
const { byPicture } = await import('../../../../trainers/embedded/detection/fit.ts');
const { attempt } = await import('../../conformance/attempt.ts');
const { reportsOf } = await import('../../conformance/judge.ts');
const { npmSubjects } = await import('../../conformance/subjects.ts');

const samples = taught.map(({ boxes, bytes }, i): Sample => {
  const md5 = createHash('md5').update(bytes).digest('hex');
  return { md5, bytes, annotation: { boxes }, split: i % 10 === 9 ? 'validation' : 'train' };
});
const subject: Subject = {
  ...(npmSubjects['embedded'] as Subject),
  ...{ task: 'detection', trainer: 'centernet', image },
  parameters: { copies: Number(copies), epochs: Number(epochs) },
};
const { model, history, cpuSeconds } = await attempt(
  subject,
  {
    samples,
    change: { classes, seed: Number(seed), deadline: new Date(Date.now() + mostSeconds * 1000).toISOString() },
    environment: { DARKROOM_TRAINER_THREADS: '1', DARKROOM_EXECUTION_PROVIDER: 'cpu' },
    // the shell tells at its end how long its children computed: the machine may have other things to do
    wrap: (command) => `(${command}); code=$?; times; exit $code`,
  },
  async (it) => {
    const { code, said } = await it.end(mostSeconds);
    if (code !== 0) throw new Error(`the job ended with ${code}: ${said} ${JSON.stringify(reportsOf(it).at(-1))}`);
    const computed = [...said.matchAll(/(\d+)m([\d.]+)s/g)].slice(-2);
    return {
      model: it.storage.blobs.get(it.job.paths.outputs['model.onnx'] ?? '') ?? Buffer.alloc(0),
      history: reportsOf(it).flatMap(({ metrics = [] }) => metrics.filter(({ key }) => key === 'validation.ap50')),
      cpuSeconds: computed.reduce((sum, [, minutes, rest]) => sum + 60 * Number(minutes) + Number(rest), 0),
    };
  },
);

const session = await openGraph(model, 1);
const shown: Shown[] = [];
const answers = [];
const before = process.cpuUsage();
let computedMs = 0;
for (const { boxes, bytes } of unseen) {
  const { pixels, placement } = await toPlacedTensor(bytes, image);
  const startedAt = process.cpuUsage(before);
  const outputs = await session.run({ input: floatTensor(pixels, [1, 3, image.height, image.width]) });
  const { user, system } = process.cpuUsage(before);
  computedMs += (user + system - startedAt.user - startedAt.system) / 1000;
  answers.push(...byPicture(outputs, 1));
  shown.push({ annotation: { boxes }, placement });
}
const { ap50, ap } = averagePrecision(answers, shown, classes);
const cells = [
  ...[scenes, copies, `${history.length} of ${epochs}`, ap50.toFixed(3), ap.toFixed(3)],
  ...[cpuSeconds.toFixed(0), (model.length / 1e6).toFixed(1), (computedMs / unseen.length).toFixed(0)],
];
console.log('| scenes | copies | epochs | AP50 | AP | CPU seconds | MB | CPU ms a picture |');
console.log(`| ${cells.join(' | ')} |`);
