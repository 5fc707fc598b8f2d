/** A service is away for long while a project is at work; afterwards nobody repairs anything. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '../random.ts';
import { all, violations } from '../torture/invariants.ts';
import { call, type File, type Front, newLedger, upload } from '../torture/load.ts';
import { digits } from './digits.ts';
import { redeliveryFirstSeconds, type ServiceName } from './platform.ts';
import { restTimeoutMs, type RoundOptions, unfinished } from './round.ts';

export interface OutageReport {
  service: ServiceName;
  uploads: number;
  /** requests that the service refused */
  refused: number;
  /** seconds from the end of the outage to rest */
  restSeconds: number;
  violations: string[];
}

/** The policy's longest wait is 150 first ones, and an hour holds twelve of those. */
export const hourOfPolicy = 12 * 150 * redeliveryFirstSeconds;

/** Takes a service away once a training is at work, for `seconds`, and brings the project's other half of files meanwhile. */
export async function runOutage(options: Omit<RoundOptions, 'seed'> & { service: ServiceName }): Promise<OutageReport> {
  const { platform, host, key, service, files, seconds } = options;
  const random = createRandom(files);
  const front: Front = { http: [host], key };
  const project = `outage-of-${service}`;
  const ledger = newLedger();
  const { direct } = platform;
  await call(front, random, 'PUT', `/projects/${project}`, {
    trainer: { name: 'softmax', timeoutSeconds: 60 },
    gate: { minimum: 0, minimumRecall: 0, maxRegression: 1, baseline: 'noted' },
    retrain: { minNewSamples: 20, maxPerDay: 10_000 },
    commit: { quietSeconds: 1, maxWaitSeconds: 5 },
  });
  const chosen = await digits(random, files);
  const half = chosen.length >> 1;
  for (const file of chosen.slice(0, half)) await upload(front, random, ledger, project, file);
  const versions = (): Promise<number> => direct.documents.count('versions', { pk: project });
  for (let i = 0; i < 600 && (await versions()) === 0; i++) await sleep(100);
  const asked = await call(front, random, 'POST', `/projects/${project}/trainings`, {}, { 'idempotency-key': project });
  ledger.trainings.set('ask', { id: String(asked.body['id']), decision: String(asked.body['decision']) });

  const before = platform.faults[service].struck.get('unavailable') ?? 0;
  platform.faults[service].set({ unavailable: 1 });
  // past the proxies: apps reach storage, and its events their queue, whoever else does not
  const put = async ({ label, name, bytes }: File): Promise<void> => {
    const blob = `${project}/${label}/${name}`;
    await direct.blobs.create('uploads', blob, bytes, { contentType: 'image/png' });
  };
  for (const file of chosen.slice(half)) {
    await put(file);
    ledger.uploaded.set(`${project}/${file.label}/${file.name}`, file);
  }
  await sleep(seconds * 1000);
  platform.faults[service].set({});
  const restedFrom = performance.now();
  const stuck = await restAlone(options, project);
  const restSeconds = (performance.now() - restedFrom) / 1000;
  const failed = (await all(direct, 'runs', { pk: project })).filter(({ state }) => state === 'failed');
  return {
    ...{ service, restSeconds, uploads: ledger.uploaded.size },
    refused: (platform.faults[service].struck.get('unavailable') ?? 0) - before,
    violations: [
      ...stuck,
      ...failed.map(({ id, failure }) => `I4: training ${id} failed: ${failure?.detail}`),
      ...(await violations(direct, project, ledger)),
    ],
  };
}

/** Waits until the project is at rest for three looks in a row; a dead letter would wait for a person. */
async function restAlone(options: Pick<RoundOptions, 'platform'>, project: string): Promise<string[]> {
  const until = Date.now() + restTimeoutMs;
  for (let quiet = 0; quiet < 3; await sleep(500)) {
    const said = await unfinished(options, project);
    quiet = said.length === 0 ? quiet + 1 : 0;
    if (Date.now() > until) return said.map((one) => `I7: not at rest after ${restTimeoutMs / 1000} s: ${one}`);
  }
  return [];
}
