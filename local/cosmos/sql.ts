/**
 * Queries. The shapes that matter run in SQLite: conjunctions of equality or comparison on fields, one ORDER BY,
 * OFFSET LIMIT, COUNT. Everything else goes to the query parser over the items of the asked partition.
 */
import { createRequire } from 'node:module';
import type { SQLInputValue } from 'node:sqlite';
import { type Container, type ItemStore, Refusal } from './database.ts';

interface Parsed {
  exec(items: unknown[], options: { parameters: Parameter[] }): { result: unknown[] };
}
// a CommonJS package whose typings hide that its export is callable
const parseQuery = (createRequire(import.meta.url)('@zeit/cosmosdb-query') as { default: (sql: string) => Parsed })
  .default;

export interface Parameter {
  name: string;
  value: unknown;
}
export interface Query {
  query: string;
  parameters?: Parameter[];
}

const maxScanned = 200_000;
const shape =
  /^SELECT\s+(?<what>\*|VALUE\s+COUNT\(1\))\s+FROM\s+c(?:\s+WHERE\s+(?<where>.+?))?(?:\s+ORDER\s+BY\s+c\.(?<order>[\w.]+)(?:\s+(?<direction>ASC|DESC))?)?(?:\s+OFFSET\s+(?<offset>\d+)\s+LIMIT\s+(?<limit>\d+))?$/is;
const comparison = /^c\.(?<field>[\w.]+)\s*(?<operator>=|<|>|<=|>=)\s*(?<parameter>@\w+)$/;

/** Items that match, in order; null when the query has no shape that SQLite can answer alone. */
function fast(
  store: ItemStore,
  container: Container,
  partition: string | undefined,
  { query, parameters = [] }: Query,
): unknown[] | null {
  const match = shape.exec(query.trim())?.groups;
  if (match === undefined) return null;
  const conditions = ['container = ?', '(expires IS NULL OR expires > ?)'];
  const values: SQLInputValue[] = [container.number, Math.floor(Date.now() / 1000)];
  if (partition !== undefined) {
    conditions.push('partition = ?');
    values.push(partition);
  }
  for (const part of match['where']?.split(/\s+AND\s+/i) ?? []) {
    const found = comparison.exec(part.trim())?.groups;
    const parameter = parameters.find((p) => p.name === found?.['parameter']);
    if (found === undefined || parameter === undefined) return null;
    const at = `'$.${found['field']}'`;
    const { value } = parameter;
    const operator = found['operator'] ?? '=';
    if (value === null || typeof value === 'boolean') {
      if (operator !== '=') return null;
      conditions.push(`json_type(body, ${at}) = '${value === null ? 'null' : String(value)}'`);
    } else if (typeof value === 'string' || typeof value === 'number') {
      const types = typeof value === 'string' ? "('text')" : "('integer', 'real')";
      conditions.push(`json_type(body, ${at}) IN ${types}`, `json_extract(body, ${at}) ${operator} ?`);
      values.push(value);
    } else return null;
  }
  const where = conditions.join(' AND ');
  if (match['what'] !== '*') {
    return [Number(store.sql.prepare(`SELECT COUNT(*) AS n FROM items WHERE ${where}`).get(...values)?.['n'] ?? 0)];
  }
  const order = match['order'];
  // an item without the field is not part of an ordered result
  const ordered =
    order === undefined
      ? ' ORDER BY partition, id'
      : ` AND json_type(body, '$.${order}') IS NOT NULL ORDER BY json_extract(body, '$.${order}') ${match['direction'] ?? 'ASC'}`;
  const limited = match['limit'] === undefined ? '' : ` LIMIT ${match['limit']} OFFSET ${match['offset']}`;
  const rows = store.sql.prepare(`SELECT body FROM items WHERE ${where}${ordered}${limited}`).all(...values);
  return rows.map((row) => JSON.parse(String(row['body'])) as unknown);
}

/** Runs a query over one partition, or over all. */
export function runQuery(
  store: ItemStore,
  container: Container,
  partition: string | undefined,
  query: Query,
): unknown[] {
  const answer = fast(store, container, partition, query);
  if (answer !== null) return answer;
  let text = query.query.trim();
  const slice = /\s+OFFSET\s+(\d+)\s+LIMIT\s+(\d+)\s*$/i.exec(text);
  if (slice !== null) text = text.slice(0, slice.index);
  try {
    const items = allItems(store, container, partition);
    const { result } = parseQuery(text).exec(items, { parameters: query.parameters ?? [] });
    const from = Number(slice?.[1] ?? 0);
    return slice === null ? result : result.slice(from, from + Number(slice[2]));
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(400, 'BadRequest', `Syntax error: ${error instanceof Error ? error.message.slice(0, 300) : ''}`);
  }
}

/** Every item of a partition, or of the container. */
export function allItems(store: ItemStore, container: Container, partition: string | undefined): unknown[] {
  const all = fast(store, container, partition, { query: 'SELECT * FROM c' }) ?? [];
  if (all.length > maxScanned)
    throw new Refusal(
      400,
      'BadRequest',
      `This query would read ${all.length} items; the local endpoint reads ${maxScanned}.`,
    );
  return all;
}

/** What the gateway answers to the SDK's question how to run a query over several partitions: there is only one here. */
export const queryPlan = {
  partitionedQueryExecutionInfoVersion: 2,
  queryInfo: {
    distinctType: 'None',
    top: null,
    offset: null,
    limit: null,
    orderBy: [],
    orderByExpressions: [],
    groupByExpressions: [],
    groupByAliases: [],
    aggregates: [],
    groupByAliasToAggregateType: {},
    rewrittenQuery: '',
    hasSelectValue: false,
    hasNonStreamingOrderBy: false,
  },
  queryRanges: [{ min: '', max: 'FF', isMinInclusive: true, isMaxInclusive: false }],
};
