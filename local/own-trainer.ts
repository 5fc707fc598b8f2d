/**
 * The training job of a platform with own trainers: runs the command of the trainer that the job document names, in the
 * job's environment, and exits with its code. Commands are those of DARKROOM_TRAINERS; any other name goes to the trainer
 * of this repository, which says what it knows.
 */
import { spawn } from 'node:child_process';
import { readOwnTrainers } from './trainers.ts';

async function nameOfTrainer(): Promise<string> {
  const response = await fetch(process.env['DARKROOM_JOB_URL'] ?? '', { signal: AbortSignal.timeout(60_000) });
  if (!response.ok) throw new Error(`the job document was answered ${response.status}`);
  return ((await response.json()) as { trainer: { name: string } }).trainer.name;
}

const own = readOwnTrainers(process.env['DARKROOM_TRAINERS'] ?? '');
const command = own.get(await nameOfTrainer());
const [program, ...words] =
  command === undefined ? [process.execPath, 'trainers/embedded/main.ts'] : ['/bin/sh', '-c', command];
const child = spawn(program, words, { stdio: 'inherit' });
// the whole process group is told to end: the trainer does what it has to, and this one waits for it
process.on('SIGTERM', () => undefined);
child.on('error', (error) => {
  console.error(error.message);
  process.exitCode = 2;
});
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal === null ? 2 : 1);
});
