/** A query made ready to run: rows of a document, their projection, order and groups. */
import { badRequest } from '../failure.ts';
import { compile, type Evaluate, type Row, type Scope } from './compile.ts';
import type { Aggregate } from './functions.ts';
import type { Expression, Query } from './syntax.ts';
import { isObject } from './values.ts';
import { dependsOnlyOn, isAggregated, selected } from './walk.ts';

/** larger than any result */
const unlimited = Number.MAX_SAFE_INTEGER;

export interface Program {
  query: Query;
  /** the rows a document gives, filtered; more than one only with JOIN or IN */
  rows(document: unknown): Row[];
  project: Evaluate;
  keys: Evaluate[];
  groupBy: Evaluate[];
  aggregated: boolean;
  aggregates: { create: () => Aggregate; argument: Evaluate }[];
  offset: number;
  limit: number;
}

type Expand = (row: Row) => Row[];

function rootName(e: Expression): string {
  if (e.kind === 'member') return rootName(e.object);
  return e.kind === 'name' ? e.name : '';
}

/** Adds the sources of FROM to the scope and says how they turn a row into rows. */
function expandSources(query: Query, outer: Scope, isRoot: boolean): { scope: Scope; expand: Expand } {
  const [first] = query.from;
  if (first === undefined) throw badRequest('A query needs a FROM clause at the local endpoint');
  const aliases = new Map(outer.aliases);
  let width = new Set(aliases.values()).size;
  if (isRoot) {
    // in FROM t IN c.tags the name c stands for the document
    aliases.set(first.iterates === undefined ? first.alias : rootName(first.iterates), 0);
    width = 1;
  } else if (first.iterates === undefined) {
    throw badRequest('The FROM of a subquery is of the form alias IN path');
  }
  const steps: Evaluate[] = [];
  for (const { alias, iterates } of query.from) {
    if (iterates === undefined) continue;
    if (aliases.has(alias)) throw badRequest(`Alias '${alias}' is taken`);
    steps.push(compile(iterates, { ...outer, aliases: new Map(aliases), aggregates: undefined }));
    aliases.set(alias, width);
    width += 1;
  }
  const expand: Expand = (row) => {
    let rows = [row];
    for (const step of steps) {
      rows = rows.flatMap((each) => {
        const elements = step(each);
        return Array.isArray(elements) ? elements.map((v: unknown) => ({ ...each, values: [...each.values, v] })) : [];
      });
    }
    return rows;
  };
  return { scope: { ...outer, aliases }, expand };
}

function projection(query: Query, scope: Scope): Evaluate {
  const { select } = query;
  if (select.kind === 'all') {
    if (query.from.length !== 1) throw badRequest("'SELECT *' is only valid with a single input set.");
    const index = scope.aliases.get(query.from[0]?.alias ?? '') ?? 0;
    return (row) => row.values[index];
  }
  if (select.kind === 'value') return compile(select.expression, scope);
  const entries = select.items.map(({ name, expression }) => ({ name, value: compile(expression, scope) }));
  return (row) =>
    Object.fromEntries(entries.map((e) => [e.name, e.value(row)] as const).filter(([, value]) => value !== undefined));
}

function count(e: Expression | undefined, scope: Scope, otherwise: number): number {
  if (e === undefined) return otherwise;
  const value = compile(e, scope)({ values: [], aggregates: [] });
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) {
    throw badRequest('TOP, OFFSET and LIMIT take whole numbers from 0');
  }
  return value;
}

function assertValid(query: Query): void {
  if (query.top !== undefined && query.limit !== undefined) throw badRequest('TOP and OFFSET LIMIT exclude each other');
  if (!isAggregated(query)) return;
  if (query.select.kind === 'all' || !selected(query).every((e) => dependsOnlyOn(query.groupBy, e))) {
    throw badRequest('A property in the SELECT list stands neither in an aggregate nor in the GROUP BY clause.');
  }
  if (query.orderBy.length > 0) throw badRequest('ORDER BY cannot be combined with aggregates or GROUP BY');
}

function build(query: Query, outer: Scope, isRoot: boolean): Program & { expand: Expand } {
  assertValid(query);
  const { scope, expand } = expandSources(query, { ...outer, aggregates: undefined }, isRoot);
  const where = query.where === undefined ? undefined : compile(query.where, scope);
  const aggregates: Program['aggregates'] = [];
  const aggregated = isAggregated(query);
  const filtered: Expand = (row) => {
    const rows = expand(row);
    return where === undefined ? rows : rows.filter((each) => where(each) === true);
  };
  return {
    query,
    expand: filtered,
    rows: (document) => filtered({ values: [document], aggregates: [] }),
    project: projection(query, aggregated ? { ...scope, aggregates } : scope),
    keys: query.orderBy.map(({ expression }) => compile(expression, scope)),
    groupBy: query.groupBy.map((expression) => compile(expression, scope)),
    aggregated,
    aggregates,
    offset: count(query.offset, scope, 0),
    limit: count(query.top ?? query.limit, scope, unlimited),
  };
}

function runSubquery(query: Query, outer: Scope): (row: Row) => unknown[] {
  if (query.orderBy.length > 0 || query.distinct || query.top !== undefined || query.limit !== undefined) {
    throw badRequest('ORDER BY, DISTINCT, TOP and LIMIT in subqueries are not supported by the local endpoint');
  }
  const program = build(query, outer, false);
  return (row) => {
    const rows = program.expand(row);
    const values = program.aggregated ? grouped(program, rows) : rows.map((each) => program.project(each));
    return values.filter((value) => value !== undefined);
  };
}

/** Makes a query ready for these parameters. Throws 400 for what is not valid or not supported. */
export function prepare(query: Query, parameters: ReadonlyMap<string, unknown>): Program {
  return build(query, { parameters, aliases: new Map(), aggregates: undefined, subquery: runSubquery }, true);
}

/** A text that two values share exactly when they are equal. */
export function identity(value: unknown): string {
  if (value === undefined) return 'undefined';
  return JSON.stringify(value, (_, v: unknown) =>
    isObject(v) ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1))) : v,
  );
}

/** One value per group of rows, in order of first appearance; without GROUP BY there is always one group. */
export function grouped(program: Program, rows: Iterable<Row>): unknown[] {
  const start = (row: Row) => ({ row, states: program.aggregates.map(({ create }) => create()) });
  const groups = new Map<string, ReturnType<typeof start>>();
  if (program.groupBy.length === 0) groups.set('', start({ values: [], aggregates: [] }));
  for (const row of rows) {
    const key = program.groupBy.map((evaluate) => identity(evaluate(row))).join();
    const group = groups.get(key) ?? start(row);
    groups.set(key, group);
    for (const [i, { argument }] of program.aggregates.entries()) group.states[i]?.add(argument(row));
  }
  return [...groups.values()].map(({ row, states }) =>
    program.project({ values: row.values, aggregates: states.map((state) => state.result()) }),
  );
}
