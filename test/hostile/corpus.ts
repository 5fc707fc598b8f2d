/** Runs the corpus, save the bodies, which only a platform can be asked. */
import { annotate, annotations, detectors } from './annotations.ts';
import type { HostileCase, Result } from './case.ts';
import { events } from './events.ts';
import { images } from './images.ts';
import { deliverReport, leaveModel, startedJob } from './jobs.ts';
import { messages } from './messages.ts';
import { metadata } from './metadata.ts';
import { models } from './models.ts';
import { names } from './names.ts';
import { reports } from './reports.ts';
import { upload, uploadWorld } from './uploads.ts';

async function runAll<I>(
  kind: string,
  cases: readonly HostileCase<I>[],
  run: (input: I) => Promise<string>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (const { name, input, expected } of cases) results.push({ kind, name, expected, outcome: await run(input) });
  return results;
}

/** What became of each case, class by class. */
export async function runCorpus(): Promise<Result[]> {
  const uploads = uploadWorld();
  const { stages } = uploadWorld();
  const job = await startedJob();
  const boxes = await detectors();
  return [
    ...(await runAll('image', await images(), (input) => upload(uploads, input))),
    ...(await runAll('blob name', names, (input) => upload(uploads, input))),
    ...(await runAll('metadata', metadata, (input) => upload(uploads, input))),
    ...(await runAll('annotation', annotations, (input) => annotate(boxes, input))),
    ...(await runAll('storage event', events, (input) => stages.deliver('blob-created', input))),
    ...(await runAll('message', messages, ({ queue, body }) => stages.deliver(queue, body))),
    ...(await runAll('job report', reports, (input) => deliverReport(job, input))),
    ...(await runAll('model', models, leaveModel)),
  ];
}
