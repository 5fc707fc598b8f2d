/** A service that falls silent: connections stay open and nothing comes. Every call ends all the same, and says so. */
import { RetryLater } from '../../shared/errors.ts';
import type { Message } from '../../shared/delivery/message.ts';
import { type FaultyPlatform, serviceNames } from './platform.ts';

interface Line {
  text: string;
  good: boolean;
}

/** The longest that a caller waits. Azure's front end ends requests after 230 s; a message stays locked meanwhile. */
const limits = { documents: 15, blobs: 40, messages: 35, compute: 100, http: 45 };

/** Makes every kind of call while all services are silent; each has to end in time, as an outage of that service. */
export async function silence(platform: FaultyPlatform, port: number, key: string): Promise<Line[]> {
  const { documents, blobs, messages, compute } = platform.ports;
  const message: Message = {
    ...{ specversion: '1.0', id: 'silence', source: '/darkroom', type: 'darkroom.canary.check', subject: 'silence' },
    data: { project: 'silence', deployment: 'none' },
  };
  const staged = { id: 'silence', pk: 'silence', stagedAt: '2026-01-01T00:00:00Z', revision: 1 };
  for (const name of serviceNames) platform.faults[name].set({ silent: 1 });
  const call = async (what: string, service: keyof typeof limits, work: () => Promise<unknown>): Promise<Line> => {
    const startedAt = performance.now();
    const said = await work().then(
      () => 'done, which cannot be',
      (error: unknown) => (error instanceof RetryLater ? error.message : `DEFECT: ${String(error)}`),
    );
    const seconds = (performance.now() - startedAt) / 1000;
    const good = seconds < limits[service] && said.includes('did not answer');
    const limit = `of at most ${limits[service]} s`;
    return {
      good,
      text: `${good ? 'ends ' : 'WRONG'}  ${what.padEnd(18)} ${seconds.toFixed(1).padStart(5)} s ${limit}: ${said}`,
    };
  };
  const http = async (): Promise<never> => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/projects/silence`, { headers: { 'x-api-key': key } });
    const text = await response.text();
    const later = response.headers.get('retry-after');
    if (response.status !== 503 || later === null) throw new Error(`${response.status}, retry-after ${later}: ${text}`);
    throw new RetryLater(`503, retry after ${later} s: ${(JSON.parse(text) as { detail: string }).detail}`);
  };
  const lines = await Promise.all([
    call('read document', 'documents', () => documents.read('staged', 'silence', 'silence')),
    call('create document', 'documents', () => documents.create('staged', staged)),
    call('list documents', 'documents', () => documents.query('staged', { pk: 'silence', limit: 10 })),
    call('get blob', 'blobs', () => blobs.get('models', 'silence', { maxBytes: 1000 })),
    call('create blob', 'blobs', () => blobs.create('models', 'silence', 'x')),
    call('list blobs', 'blobs', () => blobs.list('models', 'silence', 10)),
    call('send', 'messages', () => messages.send('deployments', [message])),
    call('schedule', 'messages', () => messages.send('deployments', [message], new Date(Date.now() + 60_000))),
    call('list executions', 'compute', () => compute.list()),
    call('GET /projects/p', 'http', http),
  ]);
  for (const name of serviceNames) platform.faults[name].set({});
  return lines;
}
