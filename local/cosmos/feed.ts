/** What answers with many documents: queries, reading a container or partition, and the change feed. */
import type { SQLInputValue } from 'node:sqlite';
import * as z from 'zod';
import { badRequest, Failure } from './failure.ts';
import { checkOrder } from './indexes.ts';
import type { Scope } from './partition-key.ts';
import { parseQuery } from './query/parse.ts';
import { needsPlan, queryPlan } from './query/plan.ts';
import { prepare, type Program } from './query/program.ts';
import { type Pushdown, pushdown } from './query/pushdown.ts';
import { type Candidate, formatPosition, parsePosition, type Position, type Result, run } from './query/run.ts';
import type { Query } from './query/syntax.ts';
import { rank } from './query/values.ts';
import { onlyCounts } from './query/walk.ts';
import type { ContainerRecord, Store } from './store.ts';

const defaultPageSize = 100;
/** -1 lets the service choose */
const dynamicPageSize = 1000;
/** of one answer, in characters: the service's own limit is 4 MB */
const maxPageLength = 4 * 1024 * 1024;
const maxCachedQueries = 500;

const querySpec = z.object({
  query: z.string(),
  parameters: z
    .array(z.object({ name: z.string(), value: z.unknown() }))
    .max(1000)
    .default([]),
});

export interface Page {
  /** JSON, one text per result */
  results: string[];
  /** where to go on; undefined at the end */
  continuation: string | undefined;
}

interface Ready {
  text: string;
  program: Program;
  parameters: ReadonlyMap<string, unknown>;
}

const parsedQueries = new Map<string, Query>();

function parsed(text: string): Query {
  const known = parsedQueries.get(text);
  if (known !== undefined) return known;
  const query = parseQuery(text);
  if (parsedQueries.size >= maxCachedQueries) parsedQueries.clear();
  parsedQueries.set(text, query);
  return query;
}

/** Reads the body of a query request. Throws 400. */
export function readQuery(body: unknown): Ready {
  const spec = querySpec.safeParse(body);
  if (!spec.success) throw badRequest(`The query is not valid: ${z.prettifyError(spec.error)}`);
  const parameters = new Map(spec.data.parameters.map(({ name, value }) => [name, value]));
  const text = spec.data.query;
  return { text, parameters, program: prepare(parsed(text), parameters) };
}

/** The plan for running a query over all partitions. */
export const planOf = ({ text, program }: Ready): object => queryPlan(text, program);

/** Refuses what the gateway leaves to the client to merge; the client asks for the plan then. */
export function assertServable({ text, program }: Ready): void {
  if (!needsPlan(program.query)) return;
  const message =
    'The provided cross partition query can not be directly served by the gateway. This is a first chance (internal) exception that all newer clients will know how to handle gracefully.';
  throw new Failure(400, message, 1004, { additionalErrorInfo: JSON.stringify(queryPlan(text, program)) });
}

/** Number of results on a page by the header x-ms-max-item-count. Throws 400. */
export function pageSize(header: string | undefined): number {
  if (header === undefined) return defaultPageSize;
  const size = Number(header);
  if (!Number.isInteger(size) || size < -1) throw badRequest('x-ms-max-item-count is a whole number from -1');
  return size <= 0 ? dynamicPageSize : size;
}

/** Takes one page off the results. */
function takePage(results: Iterable<Result>, size: number): Page {
  const page: string[] = [];
  let length = 0;
  let last: Position | undefined;
  for (const { value, position } of results) {
    // one result more than asked for shows that there is a next page
    if (last !== undefined && (page.length >= size || length > maxPageLength))
      return { results: page, continuation: formatPosition(last) };
    const text = JSON.stringify(value);
    page.push(text);
    length += text.length;
    last = position;
  }
  return { results: page, continuation: undefined };
}

/** where a scan in this order can start for a position; undefined: at the beginning */
function scanStart(columns: string[], ordered: boolean, from: Position | undefined): SQLInputValue[] | undefined {
  const row = from?.row;
  if (row === undefined) return undefined;
  if (!ordered) return [row.number];
  const [key] = row.keys;
  const isPlain =
    (typeof key === 'number' && (Number.isSafeInteger(key) || !Number.isInteger(key))) ||
    (typeof key === 'string' && key.isWellFormed() && !key.includes('\0'));
  if (!isPlain) return undefined;
  return columns.length === 1 ? [key, row.number] : [rank(key), key, row.number];
}

function* parseAll(rows: Iterable<{ number: number; body: string }>): Iterable<Candidate> {
  for (const { number, body } of rows) yield { number, document: JSON.parse(body) as unknown };
}

/** how many documents the page can need at most; undefined: all */
function scanLimit(
  { query, aggregated, offset, limit }: Program,
  { exact }: Pushdown,
  presorted: boolean,
  from: Position | undefined,
  size: number,
) {
  if (!exact || !presorted || aggregated || query.distinct) return undefined;
  const given = from?.given ?? 0;
  const skipped = Math.max(0, offset - given);
  // the row the last page ended with is read again, and one more shows whether there is a next page
  return skipped + Math.min(size, limit) + 2;
}

/** One page of a query over a part of a container. Throws 400. */
export function queryPage(
  store: Store,
  container: ContainerRecord,
  scope: Scope,
  ready: Ready,
  size: number,
  continuation: string | undefined,
): Page {
  const { program, parameters } = ready;
  checkOrder(program.query, container.definition.indexingPolicy);
  const from = continuation === undefined ? undefined : parsePosition(continuation);
  const pushed = pushdown(program.query, parameters, container.definition.partitionKey.paths);
  if (pushed.exact && onlyCounts(program.query) && program.offset === 0 && program.limit > 0) {
    const count = store.count(container, { scope, conditions: pushed.conditions });
    const value = program.project({ values: [], aggregates: program.aggregates.map(() => count) });
    return { results: [JSON.stringify(value)], continuation: undefined };
  }
  const presorted = program.query.orderBy.length === 0 || pushed.order !== undefined;
  const columns = pushed.order?.columns ?? [];
  const isOrdered = pushed.order !== undefined;
  const canSeek = presorted && !program.aggregated && !program.query.distinct;
  const start = canSeek ? scanStart(columns, isOrdered, from) : undefined;
  const isSoughtOrFirst = from === undefined || start !== undefined;
  const rows = store.scan(container, {
    scope,
    conditions: pushed.conditions,
    columns,
    descending: pushed.order?.descending ?? false,
    from: start,
    limit: isSoughtOrFirst ? scanLimit(program, pushed, presorted, from, size) : undefined,
  });
  return takePage(run(program, parseAll(rows), presorted, from), size);
}

/** One page of a query over resources that are at hand, such as containers. */
export function queryList(list: object[], ready: Ready, size: number, continuation: string | undefined): Page {
  const candidates = list.map((document, number) => ({ number, document }));
  const from = continuation === undefined ? undefined : parsePosition(continuation);
  return takePage(run(ready.program, candidates, ready.program.query.orderBy.length === 0, from), size);
}

const everything = readQuery({ query: 'SELECT * FROM c' });

/** One page of all documents of a container or partition. */
export function readPage(
  store: Store,
  container: ContainerRecord,
  scope: Scope,
  size: number,
  continuation: string | undefined,
): Page {
  return queryPage(store, container, scope, everything, size, continuation);
}

export interface ChangesRequest {
  scope: Scope;
  size: number;
  /** `"n"`: after change n; `*`: from now on; undefined: from the beginning */
  ifNoneMatch: string | undefined;
  ifModifiedSince: string | undefined;
}

/** One page of the change feed, latest versions only, and the etag to go on with; no results: nothing new. */
export function readChanges(
  store: Store,
  container: ContainerRecord,
  request: ChangesRequest,
): { results: string[]; etag: string } {
  const { ifNoneMatch, ifModifiedSince } = request;
  const after = ifNoneMatch === '*' ? store.lastNumber : Number((ifNoneMatch ?? '0').replaceAll('"', ''));
  if (!Number.isSafeInteger(after) || after < 0) throw badRequest('The continuation of the change feed is not valid');
  const since = ifNoneMatch === undefined && ifModifiedSince !== undefined ? Date.parse(ifModifiedSince) / 1000 : 0;
  if (Number.isNaN(since)) throw badRequest('If-Modified-Since is not a date');
  const changes = store.changes(container, request.scope, after, Math.floor(since), request.size);
  return { results: changes.map(({ body }) => body), etag: `"${changes.at(-1)?.change ?? after}"` };
}
