/** Runs simulations in a process of their own, with a defect planted, until one violates an invariant. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Defect } from './defects.ts';

const planted = fileURLToPath(new URL('planted.ts', import.meta.url));
const program = fileURLToPath(new URL('until-found.ts', import.meta.url));
const timeoutMs = 240_000;

export interface Sought {
  /** the seed that showed the defect; null: none of them did */
  seed: number | null;
  seeds: number;
  violation: string;
}

/** Simulates `count` seeds from `from` on and ends with the first violation. */
export function seek(defect: Defect, from: number, count: number): Promise<Sought> {
  const args = ['--import', planted, program, String(from), String(count)];
  const options = { env: { ...process.env, DEFECT: defect.name }, timeout: timeoutMs };
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, options, (error, stdout, stderr) => {
      if (error === null) resolve(JSON.parse(stdout) as Sought);
      else reject(new Error(`${defect.name}: ${stderr.slice(-2000)}`, { cause: error }));
    });
  });
}
