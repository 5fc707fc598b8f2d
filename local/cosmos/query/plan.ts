/**
 * The query plan: how an SDK shall run a query over several partitions and merge the answers. The gateway runs such queries
 * itself only when no merging is needed. Shapes as the SDKs read them (PartitionedQueryExecutionInfo in @azure/cosmos).
 */
import { badRequest } from '../failure.ts';
import type { Program } from './program.ts';
import type { Expression, Query } from './syntax.ts';
import { alike, hasAggregate, isAggregate, isAggregated } from './walk.ts';

const placeholder = '{documentdb-formattableorderbyquery-filter}';
const sdkNames: Record<string, string> = { COUNT: 'Count', SUM: 'Sum', AVG: 'Average', MIN: 'Min', MAX: 'Max' };

/** Whether the results of several partitions must be merged by the client. */
export function needsPlan(query: Query): boolean {
  const { orderBy, distinct, top, limit } = query;
  return isAggregated(query) || orderBy.length > 0 || distinct || top !== undefined || limit !== undefined;
}

const aggregateName = (e: Expression): string | undefined =>
  e.kind === 'call' && isAggregate(e) ? sdkNames[e.name] : undefined;

function planParts(text: string, query: Query) {
  const write = (e: Expression): string => text.slice(e.start, e.end);
  /** partial results that can be merged: an average travels as sum and count */
  const item = (e: Expression): string => {
    if (e.kind !== 'call' || !isAggregate(e)) {
      if (hasAggregate(e))
        throw badRequest("Cross partition query only supports 'VALUE <AggregateFunc>' for aggregates.");
      return write(e);
    }
    const argument = e.arguments.map(write).join();
    if (e.name === 'COUNT' || e.name === 'SUM') return `{"item": ${write(e)}}`;
    const first = e.name === 'AVG' ? `"sum": SUM(${argument})` : `"${e.name.toLowerCase()}": ${write(e)}`;
    return `{"item": {${first}, "count": COUNT(${argument})}}`;
  };
  const from = query.from
    .map(({ start, end }, i) => `${i === 0 ? 'FROM' : 'JOIN'} ${text.slice(start, end)}`)
    .join(' ');
  const where = query.where === undefined ? '' : ` WHERE ${write(query.where)}`;
  const filtered = ` WHERE (${placeholder})${query.where === undefined ? '' : ` AND (${write(query.where)})`}`;
  const groupBy = query.groupBy.length === 0 ? '' : ` GROUP BY ${query.groupBy.map(write).join(', ')}`;
  const orderBy = query.orderBy.map((o) => `${write(o.expression)} ${o.descending ? 'DESC' : 'ASC'}`).join(', ');
  return { write, item, from, where, filtered, groupBy, orderBy };
}

function payload(query: Query, write: (e: Expression) => string): string {
  const { select } = query;
  if (select.kind === 'all') return query.from[0]?.alias ?? '';
  if (select.kind === 'value') return write(select.expression);
  return `{${select.items.map(({ name, expression }) => `${JSON.stringify(name)}: ${write(expression)}`).join(', ')}}`;
}

function rewrite(text: string, program: Program): string {
  const { query } = program;
  const { write, item, from, where, filtered, groupBy, orderBy } = planParts(text, query);
  const needed = program.offset + program.limit;
  const top = needed < Number.MAX_SAFE_INTEGER ? ` TOP ${needed}` : '';
  if (program.aggregated) {
    const groups =
      query.groupBy.length === 0
        ? ''
        : `[${query.groupBy.map((e) => `{"item": ${write(e)}}`).join(', ')}] AS groupByItems, `;
    if (query.select.kind !== 'value')
      return `SELECT ${groups}${payload(query, item)} AS payload ${from}${where}${groupBy}`;
    const { expression } = query.select;
    const value = isAggregate(expression) ? `[${item(expression)}]` : item(expression);
    return groups === ''
      ? `SELECT VALUE ${value} ${from}${where}`
      : `SELECT ${groups}${value} AS payload ${from}${where}${groupBy}`;
  }
  if (orderBy !== '') {
    const items = query.orderBy.map(({ expression }) => `{"item": ${write(expression)}}`).join(', ');
    const alias = query.from[0]?.alias ?? '';
    // duplicates are dropped by the client, so it cannot be said how many rows it needs
    return `SELECT${query.distinct ? '' : top} ${alias}._rid, [${items}] AS orderByItems, ${payload(query, write)} AS payload ${from}${filtered} ORDER BY ${orderBy}`;
  }
  const selection =
    query.select.kind === 'list'
      ? query.select.items.map((i) => `${write(i.expression)} AS ${JSON.stringify(i.name)}`).join(', ')
      : undefined;
  const what = selection ?? (query.select.kind === 'all' ? '*' : `VALUE ${payload(query, write)}`);
  return `SELECT${query.distinct ? ' DISTINCT' : ''}${top} ${what} ${from}${where}`;
}

function distinctType({ distinct, orderBy, select }: Query): 'None' | 'Ordered' | 'Unordered' {
  if (!distinct) return 'None';
  const selected =
    select.kind === 'value'
      ? select.expression
      : select.kind === 'list' && select.items.length === 1
        ? select.items[0]?.expression
        : undefined;
  const [key] = orderBy;
  return key !== undefined && orderBy.length === 1 && selected !== undefined && alike(key.expression, selected)
    ? 'Ordered'
    : 'Unordered';
}

/** Answers the question how to run a query over all partitions. */
export function queryPlan(text: string, program: Program): object {
  const { query } = program;
  const write = (e: Expression): string => text.slice(e.start, e.end);
  const { select } = query;
  const isValue = select.kind === 'value';
  const aggregate = isValue ? aggregateName(select.expression) : undefined;
  const types =
    program.aggregated && select.kind === 'list'
      ? Object.fromEntries(select.items.map(({ name, expression }) => [name, aggregateName(expression) ?? null]))
      : {};
  return {
    partitionedQueryExecutionInfoVersion: 2,
    queryInfo: {
      distinctType: distinctType(query),
      top: query.top === undefined ? null : program.limit,
      offset: query.offset === undefined ? null : program.offset,
      limit: query.limit === undefined ? null : program.limit,
      orderBy: query.orderBy.map(({ descending }) => (descending ? 'Descending' : 'Ascending')),
      orderByExpressions: query.orderBy.map(({ expression }) => write(expression)),
      groupByExpressions: query.groupBy.map(write),
      // of everything that is selected, in order: .NET builds its results by this list
      groupByAliases: program.aggregated && select.kind === 'list' ? select.items.map(({ name }) => name) : [],
      aggregates: aggregate === undefined ? [] : [aggregate],
      groupByAliasToAggregateType: types,
      rewrittenQuery: needsPlan(query) ? rewrite(text, program) : '',
      hasSelectValue: isValue,
      hasNonStreamingOrderBy: false,
    },
    queryRanges: [{ min: '', max: 'FF', isMinInclusive: true, isMaxInclusive: false }],
  };
}
