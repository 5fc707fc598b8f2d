/** Where the Bicep compiler is. */
import { access, constants, readdir } from 'node:fs/promises';
import path from 'node:path';

const program = process.platform === 'win32' ? 'bicep.exe' : 'bicep';
const restored = path.join(import.meta.dirname, '..', '..', '.bicep');

/** What to tell somebody who has none. */
export const howToGetIt =
  'get one with `dotnet restore infra/compiler`, with `az bicep install`, or set BICEP to its path';

async function isProgram(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** The compiler that `dotnet restore infra/compiler` has brought. */
async function restoredPrograms(): Promise<string[]> {
  const entries = await readdir(restored, { recursive: true }).catch(() => []);
  return entries.filter((entry) => path.basename(entry) === program).map((entry) => path.join(restored, entry));
}

/**
 * Path of the compiler: $BICEP, the restored package, the one of the Azure CLI, PATH; undefined when there is none.
 * Throws when $BICEP names none: who sets it wants the checks to run.
 */
export async function findCompiler(environment: Record<string, string | undefined>): Promise<string | undefined> {
  const named = environment['BICEP'];
  if (named !== undefined && named !== '') {
    if (await isProgram(named)) return named;
    throw new Error(`BICEP names no program: ${named}. Unset it, or: ${howToGetIt}`);
  }
  const home = environment['HOME'] ?? environment['USERPROFILE'] ?? '';
  const candidates = [
    ...(await restoredPrograms()),
    path.join(home, '.azure', 'bin', program),
    ...(environment['PATH'] ?? '').split(path.delimiter).map((folder) => path.join(folder, program)),
  ];
  for (const candidate of candidates) if (await isProgram(candidate)) return candidate;
  return undefined;
}
