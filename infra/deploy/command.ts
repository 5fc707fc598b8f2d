/** What the commands of a deployment have in common: a failure is a sentence and exit code 1, a result is in the run's summary. */
import { appendFile } from 'node:fs/promises';

/** Runs a command; its number is the exit code. */
export async function command(work: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await work();
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}

/** Prints Markdown, and adds it to the summary of the workflow's run where there is one. */
export async function summarise(markdown: string): Promise<void> {
  console.log(markdown);
  const file = process.env['GITHUB_STEP_SUMMARY'];
  if (file !== undefined && file !== '') await appendFile(file, `${markdown}\n`);
}
