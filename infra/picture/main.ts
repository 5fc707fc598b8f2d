/** `npm run infra:picture`: tells the story of the demo and draws the workbook from its telemetry, into docs/pictures. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildApp } from '../../local/build.ts';
import { createClient } from '../../client/client.ts';
import { readDigits } from '../../local/demo/digits.ts';
import { createNarrator } from '../../local/demo/narrator.ts';
import { createStopwatch } from '../../local/demo/stopwatch.ts';
import { tellStory } from '../../local/demo/story.ts';
import { createKey } from '../../local/first-key.ts';
import { startPlatform } from '../../local/platform.ts';
import { panels } from '../workbook.ts';
import { answer } from './answers.ts';
import { draw } from './draw.ts';
import { readRecords } from './records.ts';

const root = path.resolve(import.meta.dirname, '../..');
const folder = await mkdtemp(path.join(tmpdir(), 'darkroom-picture-'));
try {
  const platform = await startPlatform({
    dataDir: folder,
    ports: { http: 0, blob: 0, serviceBus: 0, cosmos: 0, arm: 0, insights: 0 },
    appEntry: (await buildApp()).entry,
    appRoot: root,
    jobCommand: [process.execPath, 'trainers/embedded/main.ts'],
    onLog: () => undefined,
  });
  try {
    const client = createClient(platform.addresses.http ?? '', await createKey(platform.settings, 'picture'));
    const narrator = createNarrator(process.stdout);
    await tellStory({ client, narrator, stopwatch: createStopwatch(), pictures: await readDigits() });
  } finally {
    // and with it sends what telemetry still waits
    await platform.close();
  }
  const records = readRecords(await readFile(path.join(folder, 'insights/telemetry.ndjson'), 'utf8'));
  const drawn = panels.map(({ title, query }) => ({ title, answer: answer(query, records) }));
  const file = path.join(root, 'docs/pictures/workbook.svg');
  await writeFile(file, draw('Darkroom: the workbook, from the telemetry of one npm run demo', drawn));
  console.log(
    `wrote ${path.relative(process.cwd(), file)} from ${records.events.length} events and ${records.metrics.length} metrics`,
  );
} finally {
  await rm(folder, { recursive: true, force: true });
}
