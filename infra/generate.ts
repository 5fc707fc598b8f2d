/** `npm run infra:generate`: writes what is derived from the code and, where the compiler is at hand, from the templates. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { compiledFiles } from './compiler/checks.ts';
import { findCompiler, howToGetIt } from './compiler/find.ts';
import { readSnapshot, type Resource } from './compiler/snapshot.ts';
import { costsPage } from './costs/page.ts';
import { generatedFiles } from './declared.ts';

const snapshotEnding = '.snapshot.json';

async function write(files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await writeFile(path.join(import.meta.dirname, name), text);
    console.log(`wrote ${path.join('infra', name)}`);
  }
}

// the templates load the first files, so these are written before anything is compiled
await write(generatedFiles());
const compiler = await findCompiler(process.env);
if (compiler === undefined) {
  console.log(`main.json, snapshots and docs/costs.md were not written for want of a Bicep compiler: ${howToGetIt}`);
} else {
  const files = await compiledFiles(compiler);
  await write(files);
  const snapshots = Object.entries(files).filter(([name]) => name.endsWith(snapshotEnding));
  const resources = snapshots.map(([name, text]) => [
    name.slice(0, -snapshotEnding.length),
    readSnapshot(text).predictedResources,
  ]);
  await write({ '../docs/costs.md': costsPage(Object.fromEntries(resources) as Record<string, Resource[]>) });
}
