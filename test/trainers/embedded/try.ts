/** `npm run try:trainer -- COMMAND...`: a whole job for a command that is to be a trainer, e.g. `docker run ... IMAGE`. */
import { startBlobServer } from './blob-server.ts';
import { publishJobOn, reportsOn, runJobOn } from './published-job.ts';

const server = await startBlobServer();
try {
  await publishJobOn(server);
  const code = await runJobOn(server, process.argv.slice(2));
  const reports = reportsOn(server);
  const [first, last] = [reports[0], reports.at(-1)];
  console.log(JSON.stringify(first?.kind === 'started' ? first.machine : first));
  if (code !== 0 || last?.kind !== 'succeeded') throw new Error(`The job ended with ${code}: ${JSON.stringify(last)}`);
  console.log(`the job succeeded after ${reports.length} reports`);
} finally {
  await server.close();
}
