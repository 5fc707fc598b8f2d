/** `npm run infra:generate`: writes what is derived from the code and, where the compiler is at hand, from the templates. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { compiledFiles } from './compiler/checks.ts';
import { findCompiler, howToGetIt } from './compiler/find.ts';
import { generatedFiles } from './declared.ts';

async function write(files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await writeFile(path.join(import.meta.dirname, name), text);
    console.log(`wrote infra/${name}`);
  }
}

// the templates load the first files, so these are written before anything is compiled
await write(generatedFiles());
const compiler = await findCompiler(process.env);
if (compiler === undefined)
  console.log(`main.json and the snapshots were not written for want of a Bicep compiler: ${howToGetIt}`);
else await write(await compiledFiles(compiler));
