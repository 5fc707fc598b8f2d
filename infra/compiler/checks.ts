/** What the real compiler is asked: diagnostics, format, the committed template and the committed snapshots. */
import { glob, readFile } from 'node:fs/promises';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { findCompiler, howToGetIt } from './find.ts';
import { type Compiler, type Diagnostic, openCompiler } from './rpc.ts';
import { compare, readSnapshot, writeSnapshot } from './snapshot.ts';

const folder = path.join(import.meta.dirname, '..');
const pinned = /Version="\[([\d.]+)\]"/;
const regenerate = 'run `npm run infra:generate` and commit what it writes';

export interface Check {
  name: string;
  /** null: it was not run, for the reason in `said` */
  passed: boolean | null;
  said: string[];
}

/** Files of infra/ that match, with their paths from there. */
async function filesOf(pattern: string): Promise<string[]> {
  const found: string[] = [];
  for await (const file of glob(pattern, { cwd: folder })) found.push(file);
  return found.sort();
}

/** Which resource group a parameter file is evaluated for: none for those of the subscription's template. */
const groupOf = (parameters: string): string | null => (parameters.includes(path.sep) ? 'rg-darkroom' : null);

const lineOf = ({ source, range, level, code, message }: Diagnostic): string =>
  `${path.relative(process.cwd(), source)}(${range.start.line + 1},${range.start.char + 1}): ${level} ${code}: ${message}`;

/** Every diagnostic counts: a misspelt property is only a warning to the compiler, and deploys nothing of what was meant. */
async function diagnostics(compiler: Compiler, file: string): Promise<Check> {
  const source = path.join(folder, file);
  const compiled = file.endsWith('.bicepparam')
    ? await compiler.compileParameters(source)
    : await compiler.compile(source);
  const said = [...new Set(compiled.diagnostics.map(lineOf))];
  return { name: `bicep compiles ${file}`, passed: compiled.success && said.length === 0, said };
}

async function format(compiler: Compiler, files: string[]): Promise<Check> {
  const said: string[] = [];
  for (const file of files) {
    const source = path.join(folder, file);
    if ((await compiler.format(source)) !== (await readFile(source, 'utf8')))
      said.push(`infra/${file} is not formatted: ${regenerate}`);
  }
  return { name: 'bicep format', passed: said.length === 0, said };
}

/** The template behind the "Deploy to Azure" button. It names the compiler's version, so only the pinned one can tell. */
async function template(compiler: Compiler): Promise<Check> {
  const name = 'main.json is what main.bicep compiles to';
  const [version, wanted] = [await compiler.version(), pinned.exec(await projectFile())?.[1]];
  if (version !== wanted)
    return { name, passed: null, said: [`the compiler is ${version}, only ${wanted} writes the same bytes`] };
  const passed = (await compiledTemplate(compiler)) === (await readFile(path.join(folder, 'main.json'), 'utf8'));
  return { name, passed, said: passed ? [] : [`infra/main.json is stale: ${regenerate}`] };
}

const projectFile = (): Promise<string> => readFile(path.join(import.meta.dirname, 'compiler.csproj'), 'utf8');

async function compiledTemplate(compiler: Compiler): Promise<string> {
  return `${((await compiler.compile(path.join(folder, 'main.bicep'))).contents ?? '').trimEnd()}\n`;
}

async function snapshot(compiler: Compiler, parameters: string): Promise<Check> {
  const name = `snapshot of ${parameters} is current`;
  let text: string;
  try {
    text = await compiler.snapshot(path.join(folder, parameters), groupOf(parameters));
  } catch (error) {
    // the compiler says only that it failed; asked for diagnostics, it says why
    const { said } = await diagnostics(compiler, parameters);
    return { name, passed: false, said: said.length > 0 ? said : [String(error)] };
  }
  const current = readSnapshot(text);
  const file = path.join(folder, parameters.replace(/\.bicepparam$/, '.snapshot.json'));
  const kept = await readFile(file, 'utf8').catch(() => undefined);
  const committed = kept === undefined ? { predictedResources: [] } : readSnapshot(kept);
  if (isDeepStrictEqual(committed, current)) return { name, passed: true, said: [] };
  return { name, passed: false, said: [...compare(committed, current), `to accept these changes, ${regenerate}`] };
}

const sourceFiles = (): Promise<string[]> => filesOf('**/*.{bicep,bicepparam}');
const parameterFiles = (): Promise<string[]> => filesOf('{,options/}*.bicepparam');

/** Runs every check. Without a compiler there is one, and it is skipped. */
export async function* compilerChecks(): AsyncGenerator<Check> {
  let program: string | undefined;
  try {
    program = await findCompiler(process.env);
  } catch (error) {
    yield { name: 'Bicep compiler', passed: false, said: [String(error)] };
    return;
  }
  if (program === undefined) {
    yield { name: 'no Bicep compiler', passed: null, said: [howToGetIt] };
    return;
  }
  const compiler = openCompiler(program);
  const attempt = (name: string, check: Promise<Check>): Promise<Check> =>
    check.catch((error: unknown) => ({ name, passed: false, said: [String(error)] }));
  try {
    // the options differ from each other in one value, and their snapshots fail when it does not fit
    const entries = ['main.bicep', 'resources.bicep', ...(await filesOf('*.bicepparam'))];
    for (const file of entries) yield await attempt(`bicep compiles ${file}`, diagnostics(compiler, file));
    yield await attempt('bicep format', format(compiler, await sourceFiles()));
    yield await attempt('main.json', template(compiler));
    for (const file of await parameterFiles()) yield await attempt(`snapshot of ${file}`, snapshot(compiler, file));
  } finally {
    compiler.close();
  }
}

/**
 * What the compiler makes of the sources: themselves where they are not formatted, the template, and a snapshot for
 * every parameter file; paths from infra/.
 */
export async function compiledFiles(program: string): Promise<Record<string, string>> {
  const compiler = openCompiler(program);
  try {
    const files: Record<string, string> = {};
    for (const file of await sourceFiles()) {
      const formatted = await compiler.format(path.join(folder, file));
      if (formatted !== (await readFile(path.join(folder, file), 'utf8'))) files[file] = formatted;
    }
    files['main.json'] = await compiledTemplate(compiler);
    for (const file of await parameterFiles()) {
      const evaluated = readSnapshot(await compiler.snapshot(path.join(folder, file), groupOf(file)));
      files[file.replace(/\.bicepparam$/, '.snapshot.json')] = writeSnapshot(evaluated);
    }
    return files;
  } finally {
    compiler.close();
  }
}
