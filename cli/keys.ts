/** The documents that hold API keys, for whoever has the role: with the settings of a platform, or as a person signed in to Azure. */
import { setTimeout as sleep } from 'node:timers/promises';
import { connectDocumentsAsPerson } from '../shared/azure/person.ts';
import { connect } from '../shared/azure/connect.ts';
import { readConfig } from '../shared/config.ts';
import type { KeyPorts } from '../shared/key/create.ts';

const clock = { now: () => new Date() };

const pauseMs = 10_000;
/** what Azure needs at most to let a new role work */
export const rolesWorkWithinSeconds = 600;

/**
 * The documents at this address, as the person who is signed in; without one those of the settings in the environment.
 * Throws when those are incomplete, with the command that sets them.
 */
export function openKeys(cosmosEndpoint: string | undefined): KeyPorts {
  if (cosmosEndpoint !== undefined) return { clock, documents: connectDocumentsAsPerson(cosmosEndpoint) };
  try {
    return { clock, documents: connect(readConfig(process.env)).documents };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(
      `${why}\nWhile npm start runs, put the settings of its data folder into the environment, then try again:\n` +
        '  set -a; . .darkroom/settings.env; set +a\nFor an environment in Azure: --cosmos https://...',
      { cause: error },
    );
  }
}

const isForbidden = (error: unknown): boolean =>
  error instanceof Error &&
  (('code' in error && (error.code === 403 || error.code === 'Forbidden' || error.code === 'access-refused')) ||
    ('statusCode' in error && error.statusCode === 403));

/** Repeats work that is forbidden until the limit: a role works minutes after it was assigned. Other errors are thrown at once. */
export async function untilAllowed<T>(
  work: () => Promise<T>,
  limitSeconds: number,
  say: (line: string) => void,
): Promise<T> {
  const until = performance.now() + limitSeconds * 1000;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isForbidden(error) || performance.now() > until) throw error;
      say('A role does not work yet; waiting for it.');
      await sleep(pauseMs);
    }
  }
}
