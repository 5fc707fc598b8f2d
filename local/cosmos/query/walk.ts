/** Questions about syntax trees. */
import { aggregates } from './functions.ts';
import type { Expression, Query } from './syntax.ts';

function children(e: Expression): Expression[] {
  switch (e.kind) {
    case 'member':
      return [e.object, e.key];
    case 'unary':
      return [e.argument];
    case 'binary':
      return [e.left, e.right];
    case 'between':
      return [e.value, e.low, e.high];
    case 'in':
      return [e.value, ...e.list];
    case 'like':
      return [e.value, e.pattern];
    case 'conditional':
      return [e.test, e.consequent, e.otherwise];
    case 'call':
      return e.arguments;
    case 'object':
      return e.entries.map(({ value }) => value);
    case 'array':
      return e.elements;
    case 'constant':
    case 'parameter':
    case 'name':
    case 'subquery':
      return [];
  }
}

/** Whether an expression is the call of an aggregate. */
export const isAggregate = (e: Expression): boolean => e.kind === 'call' && Object.hasOwn(aggregates, e.name);

/** Whether an aggregate stands anywhere in the expression; those in subqueries are the subqueries' own. */
export const hasAggregate = (e: Expression): boolean => isAggregate(e) || children(e).some(hasAggregate);

const shape = (e: Expression): string =>
  JSON.stringify(e, (key, value: unknown) => (key === 'start' || key === 'end' ? undefined : value));

/** Whether two expressions are written alike, white space aside. */
export const alike = (a: Expression, b: Expression): boolean => shape(a) === shape(b);

/** Whether every property that `e` reads outside aggregates is one of the group's expressions. */
export function dependsOnlyOn(groupBy: Expression[], e: Expression): boolean {
  if (isAggregate(e) || groupBy.some((key) => alike(key, e))) return true;
  if (e.kind === 'name' || e.kind === 'subquery') return false;
  return children(e).every((child) => dependsOnlyOn(groupBy, child));
}

/** What the SELECT clause computes. */
export function selected({ select }: Query): Expression[] {
  if (select.kind === 'all') return [];
  return select.kind === 'value' ? [select.expression] : select.items.map(({ expression }) => expression);
}

/** Whether rows become groups. */
export const isAggregated = (query: Query): boolean => query.groupBy.length > 0 || selected(query).some(hasAggregate);

const aggregateCalls = (e: Expression): Expression[] => (isAggregate(e) ? [e] : children(e).flatMap(aggregateCalls));

/** Whether all that a query wants of its rows is their number: only COUNT of a constant, no groups. */
export function onlyCounts(query: Query): boolean {
  const calls = selected(query).flatMap(aggregateCalls);
  const counts = (e: Expression) =>
    e.kind === 'call' &&
    e.name === 'COUNT' &&
    e.arguments[0]?.kind === 'constant' &&
    e.arguments[0].value !== undefined;
  return query.groupBy.length === 0 && calls.length > 0 && calls.every(counts);
}
