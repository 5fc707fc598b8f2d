/**
 * `npm run try:trainer -- 'COMMAND'`: holds a trainer to the job contract, case by case, whatever it is written in. The
 * command is run by /bin/sh and given DARKROOM_JOB_URL. Closes with `N passed, N failed`.
 */
import pMap from 'p-map';
import * as z from 'zod';
import { readArguments } from '../../../local/read-arguments.ts';
import { applies } from './case.ts';
import { cases } from './cases.ts';

const usage = `npm run try:trainer -- 'COMMAND' [--task classification] [--trainer NAME] [--image 32x32x3]
  [--parameters JSON] [--lasting JSON] [--case NAME] [--long]

  --trainer, --parameters  what the job documents name
  --lasting                parameters of a training that lasts a minute or more, to be ended in the middle of it
  --case                   cases whose name has this in it
  --long                   also those that take minutes: storage away for five minutes, 100,000 samples`;

const { values, positionals } = readArguments(usage, {
  allowPositionals: true,
  options: {
    task: { type: 'string', default: 'classification' },
    trainer: { type: 'string', default: 'mine' },
    image: { type: 'string', default: '32x32x3' },
    parameters: { type: 'string', default: '{}' },
    lasting: { type: 'string' },
    case: { type: 'string', default: '' },
    blind: { type: 'boolean', default: false },
    long: { type: 'boolean', default: false },
  },
});
const parameters = z.record(z.string(), z.union([z.number(), z.string(), z.boolean()]));
const [width = 32, height = 32, channels = 3] = values.image.split('x').map(Number);
const subject = {
  command: positionals.join(' '),
  task: values.task,
  trainer: values.trainer,
  image: { width, height, channels: channels === 1 ? (1 as const) : (3 as const) },
  parameters: parameters.parse(JSON.parse(values.parameters)),
  decodes: !values.blind,
  lasting: values.lasting === undefined ? undefined : parameters.parse(JSON.parse(values.lasting)),
};
const chosen = cases.filter(({ name, long = false }) => name.includes(values.case) && (values.long || !long));
let failed = 0;
await pMap(
  chosen,
  async (one) => {
    const { name, check } = one;
    if (!applies(one, subject)) return console.log(`-       ${name}`);
    const startedAt = performance.now();
    const wrong = await check(subject);
    if (wrong.length > 0) failed++;
    console.log(
      `${wrong.length === 0 ? 'passed ' : 'FAILED '} ${name} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`,
    );
    for (const line of wrong) console.log(`          ${line}`);
  },
  { concurrency: 3 },
);
console.log(failed);
