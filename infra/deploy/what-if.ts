/**
 * `npm run deploy:what-if -- --environment dev [--file comment.md]`: what a deployment would change, as Markdown. Asks
 * for nothing that reading rights do not allow.
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { az } from './az.ts';
import { changesAsMarkdown, whatIfResult } from './changes.ts';
import { command, summarise } from './command.ts';
import { environmentNamed } from './environment.ts';

await command(async () => {
  const { values } = parseArgs({ options: { environment: { type: 'string' }, file: { type: 'string' } } });
  const { name, location, parameterFile } = environmentNamed(values.environment);
  const say = async (text: string): Promise<void> => {
    if (values.file !== undefined) await writeFile(values.file, `${text}\n`);
    await summarise(text);
  };
  try {
    const answer = await az([
      ...['deployment', 'sub', 'what-if', '--location', location, '--parameters', parameterFile],
      ...['--no-pretty-print', '--validation-level', 'ProviderNoRbac'],
    ]);
    const result = whatIfResult.parse(answer);
    await say(changesAsMarkdown(name, result));
    return result.status === 'Succeeded' ? 0 : 1;
  } catch (error) {
    // whoever reads the pull request sees it where the changes would be
    const message = error instanceof Error ? error.message : String(error);
    await say(changesAsMarkdown(name, { status: 'Failed', error: { code: '', message } }));
    return 1;
  }
});
