/**
 * What SQLite can decide of a query: comparisons of properties with constants, joined by AND, and one property to order by.
 * A condition is only handed down where SQLite's JSON functions agree with Cosmos DB's rules on every value.
 */
import type { SQLInputValue } from 'node:sqlite';
import type { Expression, Ordering, Query } from './syntax.ts';

interface Sql {
  text: string;
  values: SQLInputValue[];
}

export interface Pushdown {
  conditions: Sql[];
  /** the conditions say all that WHERE says */
  exact: boolean;
  /** expressions in the order that `compare` gives; undefined when the order is not SQLite's to keep */
  order: { columns: string[]; descending: boolean } | undefined;
}

const operators = ['=', '<', '<=', '>', '>='] as const;
type Operator = (typeof operators)[number];
const mirrored: Record<Operator, Operator> = { '=': '=', '<': '>', '<=': '>=', '>': '<', '>=': '<=' };
const isOperator = (text: string): text is Operator => operators.some((operator) => operator === text);

/** `c.a.b` as names, when it is that plain */
export function propertyPath(e: Expression, alias: string): string[] | undefined {
  if (e.kind === 'name') return e.name === alias ? [] : undefined;
  if (e.kind !== 'member' || e.key.kind !== 'constant' || typeof e.key.value !== 'string') return undefined;
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(e.key.value)) return undefined;
  const outer = propertyPath(e.object, alias);
  return outer === undefined ? undefined : [...outer, e.key.value];
}

const quoted = (names: string[]): string => `'$${names.map((name) => `."${name}"`).join('')}'`;

function constant(e: Expression, parameters: ReadonlyMap<string, unknown>): { value: unknown } | undefined {
  if (e.kind === 'constant') return { value: e.value };
  return e.kind === 'parameter' && parameters.has(e.name) ? { value: parameters.get(e.name) } : undefined;
}

function comparison(names: string[], operator: Operator, value: unknown): Sql | undefined {
  const type = `json_type(body, ${quoted(names)})`;
  const content = names.length === 1 && names[0] === 'id' ? 'id' : `json_extract(body, ${quoted(names)})`;
  if (typeof value === 'string') {
    // lone surrogates and NUL do not pass unchanged through SQLite's UTF-8
    if (!value.isWellFormed() || value.includes('\0')) return undefined;
    if (content === 'id') return { text: `id ${operator} ?`, values: [value] };
    return { text: `${content} ${operator} ? AND ${type} = 'text'`, values: [value] };
  }
  if (typeof value === 'number') {
    // beyond 2^53 SQLite compares the written digits, JavaScript the nearest double
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) return undefined;
    return {
      text: `${type} IN ('integer', 'real') AND json_extract(body, ${quoted(names)}) ${operator} ?`,
      values: [value],
    };
  }
  if (operator !== '=') return undefined;
  if (value === null) return { text: `${type} = 'null'`, values: [] };
  return typeof value === 'boolean' ? { text: `${type} = '${value}'`, values: [] } : undefined;
}

function condition(
  e: Expression,
  alias: string,
  parameters: ReadonlyMap<string, unknown>,
  keyPaths: string[],
): Sql | undefined {
  if (e.kind !== 'binary' || !isOperator(e.operator)) return undefined;
  const sides = [
    { names: propertyPath(e.left, alias), other: constant(e.right, parameters), operator: e.operator },
    { names: propertyPath(e.right, alias), other: constant(e.left, parameters), operator: mirrored[e.operator] },
  ];
  for (const { names, other, operator } of sides) {
    if (names === undefined || names.length === 0 || other === undefined) continue;
    const { value } = other;
    const isKey = keyPaths.length === 1 && keyPaths[0] === `/${names.join('/')}` && operator === '=';
    // the partition key column holds the value as JSON, in an array
    if (isKey && (typeof value === 'string' || typeof value === 'boolean') && JSON.stringify(value).isWellFormed()) {
      return { text: 'pk = ?', values: [JSON.stringify([value])] };
    }
    return comparison(names, operator, value);
  }
  return undefined;
}

const conjuncts = (e: Expression): Expression[] =>
  e.kind === 'binary' && e.operator === 'and' ? [...conjuncts(e.left), ...conjuncts(e.right)] : [e];

/** the rank of `values.ts`, and the value where it decides */
function orderColumns(names: string[]): string[] {
  if (names.length === 1 && names[0] === 'id') return ['id'];
  const type = `json_type(body, ${quoted(names)})`;
  const rank = `CASE ${type} WHEN 'null' THEN 1 WHEN 'true' THEN 2 WHEN 'false' THEN 2 WHEN 'integer' THEN 3 WHEN 'real' THEN 3 WHEN 'text' THEN 4 WHEN 'array' THEN 5 ELSE 6 END`;
  return [
    rank,
    `CASE WHEN ${type} IN ('array', 'object', 'null') THEN 0 ELSE json_extract(body, ${quoted(names)}) END`,
  ];
}

function ordering(orderBy: Ordering[], alias: string) {
  const [only] = orderBy;
  if (only === undefined || orderBy.length > 1) return undefined;
  const names = propertyPath(only.expression, alias);
  if (names === undefined || names.length === 0) return undefined;
  const present = { text: `json_type(body, ${quoted(names)}) IS NOT NULL`, values: [] };
  return { columns: orderColumns(names), descending: only.descending, present };
}

/** What of a query over one source SQLite can decide. `keyPaths`: the container's partition key. */
export function pushdown(query: Query, parameters: ReadonlyMap<string, unknown>, keyPaths: string[]): Pushdown {
  const [source, ...others] = query.from;
  const none: Pushdown = { conditions: [], exact: query.where === undefined, order: undefined };
  if (source === undefined || source.iterates !== undefined) return none;
  const conditions: Sql[] = [];
  let exact = true;
  // with joins the document's conditions still narrow the scan
  for (const e of query.where === undefined ? [] : conjuncts(query.where)) {
    if (e.kind === 'constant' && e.value === true) continue;
    const sql = condition(e, source.alias, parameters, keyPaths);
    if (sql === undefined) exact = false;
    else conditions.push(sql);
  }
  if (others.length > 0) return { conditions, exact: false, order: undefined };
  const order = ordering(query.orderBy, source.alias);
  // a document without the property is not part of an ordered result
  if (order !== undefined && order.columns[0] !== 'id') conditions.push(order.present);
  return { conditions, exact, order };
}
