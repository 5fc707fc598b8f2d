import { describe, expect, test } from 'vitest';
import { createNarrator } from '../../../local/demo/narrator.ts';
import { type Report, reportLines, reportShape } from '../../../local/demo/report.ts';
import { createStopwatch } from '../../../local/demo/stopwatch.ts';
import { table } from '../../../local/demo/table.ts';
import { waitFor } from '../../../local/demo/wait.ts';
import { quickStart } from '../../../local/quick-start.ts';

function recorder(isTTY: boolean) {
  const written: string[] = [];
  return { output: { isTTY, columns: 40, write: (text: string) => written.push(text) }, written };
}

const report: Report = {
  uploads: { accepted: 20, duplicate: 1, conflict: 1, unlabelled: 0, quarantined: 3, superseded: 0 },
  versions: [{ number: 1, id: 'v1', samples: 20, bytesWritten: 1234, added: 20, removed: 0, relabelled: 0 }],
  models: [
    {
      version: 1,
      digest: 'a'.repeat(64),
      accuracy: 0.95,
      verdict: 'approved',
      reasons: ['fine'],
      datasetVersion: 1,
      seed: 1,
    },
    {
      version: 2,
      digest: 'b'.repeat(64),
      accuracy: 0.96,
      verdict: 'approved',
      reasons: ['fine'],
      datasetVersion: 1,
      seed: 7,
    },
  ],
  holdout: { count: 520, accuracy: 0.975 },
  champion: 2,
  rolledBackTo: 1,
  seconds: { total: 12.3, start: 2 },
  lineage: { prediction: 'p-1', model: 2, training: 't1', seed: 7, datasetVersion: 1, sampleCount: 20, samples: [] },
  deadLetters: 0,
};

test('a table sets numbers to the right and text to the left', () => {
  expect(
    table(
      ['name', 'n'],
      [
        ['a', 5],
        ['long name', 100],
      ],
    ),
  ).toEqual(['name         n', '---------  ---', 'a            5', 'long name  100']);
  expect(table(['share'], [['9.50 %'], ['100.00 %']])).toEqual(['   share', '--------', '  9.50 %', '100.00 %']);
  expect(table(['digest'], [['12345678'], ['123']])).toEqual(['digest', '--------', '12345678', '123']);
  expect(table(['name', 'n'], [])).toEqual(['name  n', '----  -']);
});

test('the report says which model is live after the rollback, and keeps its shape through JSON', () => {
  const lines = reportLines(report).join('\n');
  expect(lines).toMatch(/ 1 +1 +1 +95.00 % +approved +a{12} +live \(rolled back to\)/);
  expect(lines).toMatch(/ 2 +1 +7 +96.00 % +approved +b{12} +was live/);
  expect(lines).toContain('520 images that are in no version, 97.50 % right with model 2');
  expect(reportShape.parse(JSON.parse(JSON.stringify(report)))).toEqual(report);
});

describe('the narrator', () => {
  test('shows progress as a line now and then where there is no terminal', () => {
    let now = 0;
    const { output, written } = recorder(false);
    const narrator = createNarrator(output, () => now);
    for (let done = 1; done <= 50; done += 1) {
      now += 100;
      narrator.progress('uploading', done, 50);
    }
    expect(written).toEqual(['        uploading 1/50\n', '        uploading 21/50\n', '        uploading 41/50\n']);
  });

  test('rewrites its line on a terminal, never shows more than the total, and cleans up before the next sentence', () => {
    const { output, written } = recorder(true);
    const narrator = createNarrator(output, () => 0);
    narrator.progress('uploading', 60, 50, 'and a text that is far too long for this terminal');
    narrator.say('done');
    expect(written[0]).toContain('\r\u001B[K        uploading 50/50');
    expect(written[0]?.length).toBeLessThan(45);
    expect(written.slice(1)).toEqual(['\r\u001B[K', '        done\n']);
  });
});

test('the stopwatch keeps the seconds of a stage that fails', async () => {
  let now = 0;
  const stopwatch = createStopwatch(() => now);
  const failing = stopwatch.stage('upload', async () => {
    now += 1234;
    await Promise.reject(new Error('no'));
  });
  await expect(failing).rejects.toThrow('no');
  expect(stopwatch.seconds()).toEqual({ total: 1.2, upload: 1.2 });
});

test('a wait that finds nothing says what was expected and what was seen last', async () => {
  const looks = [{ seen: '1 of 3' }, { seen: '2 of 3' }];
  const wait = { expected: 'three', limitSeconds: 0.02, everyMs: 15 };
  await expect(waitFor(wait, () => Promise.resolve(looks.shift() ?? { seen: 'still 2 of 3' }))).rejects.toThrow(
    /Expected three within 0.02 s; seen: (still )?2 of 3/,
  );
  expect(await waitFor(wait, () => Promise.resolve({ found: 3 }))).toBe(3);
});

describe('what npm start prints', () => {
  const about = {
    ...{ api: 'http://127.0.0.1:7071/api/v1', addresses: { blob: 'http://127.0.0.1:10000' }, dataDir: '.darkroom' },
    ...{ logFile: '.darkroom/platform.log', settingsFile: '.darkroom/settings.env', examples: '.darkroom/examples' },
  };
  test('holds the key at the first start only', () => {
    expect(quickStart({ ...about, key: { key: 'dk_secret' } })).toContain('export KEY=dk_secret');
    const later = quickStart({ ...about, key: { createdAt: '2030-01-01T00:00:00.000Z' } });
    expect(later).toContain('shown when it was made, at the first start (2030-01-01');
    expect(later).toContain('cli/create-key.ts');
  });
});
