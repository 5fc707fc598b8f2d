/** Parsers of the embedded platform. */
import * as fc from 'fast-check';
import { blobWrite } from '../../local/blob/event.ts';
import { Failure } from '../../local/cosmos/failure.ts';
import { parseQuery } from '../../local/cosmos/query/parse.ts';
import { parseSchedule } from '../../local/functions-host/cron.ts';
import { fromMessage } from '../../local/functions-host/service-bus-message.ts';
import { type Parser, parser } from './fuzz.ts';
import { anyBytes, damaged } from './mutate.ts';

const queries = [
  'SELECT TOP 10 * FROM c WHERE c.project = @p0 AND (c.at < @p1 OR (c.at = @p1 AND c.id < @p2)) ORDER BY c.at DESC, c.id DESC',
  "SELECT VALUE COUNT(1) FROM c WHERE c.label = 'it''s' AND NOT IS_NULL(c.key) OR c.n IN (1, 2.5e3, 0x1F)",
  'SELECT c.id, {"a": [c.b, null, true]} AS d FROM c JOIN t IN c.tags WHERE EXISTS(SELECT VALUE t FROM t IN c.x) OFFSET 1 LIMIT 2',
].map((query) => Buffer.from(query));
const schedules = ['0 */15 * * * *', '0 0 9-17 * * MON-FRI', '0 0 0 29 2 *'].map((text) => Buffer.from(text));
const bodies = ['{"deliveryCount":9,"time":"2026-11-23T10:00:00Z","data":{"a":[1]}}', '[1]', 'text'].map((t) =>
  Buffer.from(t),
);
const addresses = ['/devstoreaccount1/uploads/digits/a%20b.png?comp=blocklist&sig=x', '/devstoreaccount1/uploads'].map(
  (t) => Buffer.from(t),
);

function query(bytes: Buffer): void {
  try {
    parseQuery(bytes.toString('utf8'));
  } catch (error) {
    if (!(error instanceof Failure && error.status === 400)) throw error;
  }
}

function schedule(bytes: Buffer): void {
  let parsed;
  try {
    parsed = parseSchedule(bytes.toString('utf8'));
  } catch (error) {
    if (error instanceof Error && error.message.includes('is no NCRONTAB schedule')) return;
    throw error;
  }
  const after = new Date('2026-03-01T12:00:00Z');
  const next = parsed.nextRun(after);
  if (next && next <= after) throw new Error('the next moment has passed');
}

function message(bytes: Buffer): void {
  const { triggerMetadata } = fromMessage({ body: bytes, messageId: 'm', deliveryCount: 0 } as never, undefined);
  JSON.stringify(triggerMetadata);
}

function address(bytes: Buffer): void {
  const write = blobWrite('PUT', bytes.toString('latin1'), {});
  if (write?.name === '') throw new Error('a blob without a name');
}

const around = (originals: Buffer[]): fc.Arbitrary<Buffer> =>
  fc.oneof({ arbitrary: damaged(originals), weight: 3 }, anyBytes(originals));

/** Parsers of the local services. */
export const localParsers = (): Parser[] => [
  parser('queries of Cosmos DB', around(queries), query),
  parser('schedules', around(schedules), schedule),
  parser('messages of Service Bus', around(bodies), message),
  parser('addresses of blobs', around(addresses), address),
];
