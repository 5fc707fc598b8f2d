/** Turns expressions into functions of a row. */
import { badRequest } from '../failure.ts';
import { type Aggregate, aggregates, builtIn } from './functions.ts';
import type { BinaryOperator, Expression, Query } from './syntax.ts';
import { compare, equals, isObject, rank } from './values.ts';

/** one value per source of the query, outer queries first; then the results of a group's aggregates */
export interface Row {
  values: readonly unknown[];
  aggregates: readonly unknown[];
}
export type Evaluate = (row: Row) => unknown;

export interface Scope {
  parameters: ReadonlyMap<string, unknown>;
  /** position in a row's values by alias */
  aliases: ReadonlyMap<string, number>;
  /** where aggregates found in an expression are collected; undefined where they may not stand */
  aggregates: { create: () => Aggregate; argument: Evaluate }[] | undefined;
  /** runs a subquery on a row; handed in because queries compile expressions too */
  subquery: (query: Query, scope: Scope) => (row: Row) => unknown[];
}

const number = (run: (a: number, b: number) => number) => (a: unknown, b: unknown) => {
  if (typeof a !== 'number' || typeof b !== 'number') return undefined;
  const result = run(a, b);
  return Number.isFinite(result) ? result : undefined;
};
/** values of one type are ordered; between types, and for arrays and objects, the answer is undefined */
const ordered = (test: (order: number) => boolean) => (a: unknown, b: unknown) =>
  rank(a) !== rank(b) || rank(a) === 0 || rank(a) > 4 ? undefined : test(compare(a, b));

const binaries: Record<Exclude<BinaryOperator, 'and' | 'or' | '??'>, (a: unknown, b: unknown) => unknown> = {
  '=': equals,
  '!=': (a, b) => not(equals(a, b)),
  '<': ordered((order) => order < 0),
  '<=': ordered((order) => order <= 0),
  '>': ordered((order) => order > 0),
  '>=': ordered((order) => order >= 0),
  '||': (a, b) => (typeof a === 'string' && typeof b === 'string' ? a + b : undefined),
  '+': number((a, b) => a + b),
  '-': number((a, b) => a - b),
  '*': number((a, b) => a * b),
  '/': number((a, b) => a / b),
  '%': number((a, b) => a % b),
  '&': number((a, b) => a & b),
  '|': number((a, b) => a | b),
  '^': number((a, b) => a ^ b),
  '<<': number((a, b) => a << b),
  '>>': number((a, b) => a >> b),
  '>>>': number((a, b) => a >>> b),
};

const not = (value: unknown): boolean | undefined => (typeof value === 'boolean' ? !value : undefined);

/** Three-valued logic: one `decisive` side settles the matter, else both must be booleans. */
function logic(left: Evaluate, right: Evaluate, decisive: boolean): Evaluate {
  return (row) => {
    const a = left(row);
    if (a === decisive) return decisive;
    const b = right(row);
    if (b === decisive) return decisive;
    return typeof a === 'boolean' && typeof b === 'boolean' ? !decisive : undefined;
  };
}

function binary(operator: BinaryOperator, left: Evaluate, right: Evaluate): Evaluate {
  if (operator === 'and') return logic(left, right, false);
  if (operator === 'or') return logic(left, right, true);
  if (operator === '??') {
    return (row) => {
      const value = left(row);
      return value === undefined ? right(row) : value;
    };
  }
  const run = binaries[operator];
  return (row) => run(left(row), right(row));
}

function unary(operator: 'not' | '-' | '+' | '~', argument: Evaluate): Evaluate {
  if (operator === 'not') return (row) => not(argument(row));
  const run = { '-': (n: number) => -n, '+': (n: number) => n, '~': (n: number) => ~n }[operator];
  return (row) => {
    const value = argument(row);
    return typeof value === 'number' ? run(value) : undefined;
  };
}

function member(object: Evaluate, key: Evaluate): Evaluate {
  return (row) => {
    const from = object(row);
    const name = key(row);
    if (Array.isArray(from)) return typeof name === 'number' ? (from[name] as unknown) : undefined;
    return isObject(from) && typeof name === 'string' && Object.hasOwn(from, name) ? from[name] : undefined;
  };
}

/** Pattern of LIKE: `%` any run, `_` any one character. */
function likePattern(pattern: string, escape: string | undefined): RegExp {
  let source = '';
  for (let i = 0; i < pattern.length; i += 1) {
    let char = pattern.charAt(i);
    const escaped = char === escape && i + 1 < pattern.length;
    if (escaped) char = pattern.charAt((i += 1));
    if (!escaped && char === '[') throw badRequest('Character sets in LIKE are not supported by the local endpoint');
    if (!escaped && char === '%') source += source.endsWith('[^]*') ? '' : '[^]*';
    else if (!escaped && char === '_') source += '[^]';
    else source += char.replace(/[\\^$.*+?()[\]{}|/-]/, String.raw`\$&`);
  }
  return new RegExp(`^${source}$`);
}

function like(value: Evaluate, pattern: Evaluate, escape: string | undefined): Evaluate {
  const patterns = new Map<string, RegExp>();
  return (row) => {
    const text = value(row);
    const wanted = pattern(row);
    if (typeof text !== 'string' || typeof wanted !== 'string') return undefined;
    let compiled = patterns.get(wanted);
    if (compiled === undefined) {
      compiled = likePattern(wanted, escape);
      // patterns are mostly constants; one that comes from the data is not kept for ever
      if (patterns.size < 100) patterns.set(wanted, compiled);
    }
    return compiled.test(text);
  };
}

function isIn(value: Evaluate, list: Evaluate[]): Evaluate {
  return (row) => {
    const wanted = value(row);
    if (wanted === undefined) return undefined;
    const found = list.map((each) => equals(wanted, each(row)));
    return found.includes(true) ? true : found.includes(undefined) ? undefined : false;
  };
}

function call(name: string, args: Expression[], scope: Scope): Evaluate {
  const create = Object.hasOwn(aggregates, name) ? aggregates[name] : undefined;
  if (create !== undefined) {
    const [argument] = args;
    if (argument === undefined || args.length > 1) throw badRequest(`${name} takes one argument`);
    if (scope.aggregates === undefined)
      throw badRequest(`${name} can only stand in the SELECT clause, and not in itself`);
    const index = scope.aggregates.length;
    scope.aggregates.push({ create, argument: compile(argument, { ...scope, aggregates: undefined }) });
    return (row) => row.aggregates[index];
  }
  const found = builtIn(name);
  if (found === undefined) throw badRequest(`'${name}' is not a function of the local endpoint`);
  if (args.length < found.least || args.length > found.most)
    throw badRequest(`${name} takes ${found.least} to ${found.most} arguments`);
  const values = args.map((arg) => compile(arg, scope));
  return (row) => found.run(...values.map((value) => value(row)));
}

/** Objects and arrays leave out what is undefined. */
function object(entries: { key: string; value: Evaluate }[]): Evaluate {
  return (row) =>
    Object.fromEntries(
      entries.map(({ key, value }) => [key, value(row)] as const).filter(([, value]) => value !== undefined),
    );
}

function subquery(form: 'exists' | 'array' | 'scalar', rows: (row: Row) => unknown[]): Evaluate {
  if (form === 'array') return rows;
  if (form === 'exists') return (row) => rows(row).length > 0;
  return (row) => {
    const values = rows(row);
    if (values.length > 1) throw badRequest('A scalar subquery gave more than one value');
    return values[0];
  };
}

function reference(name: string, { aliases }: Scope): Evaluate {
  const index = aliases.get(name);
  if (index === undefined) throw badRequest(`Identifier '${name}' could not be resolved.`);
  return (row) => row.values[index];
}

function parameter(name: string, { parameters }: Scope): Evaluate {
  if (!parameters.has(name)) throw badRequest(`Parameter '${name}' has no value`);
  const value = parameters.get(name);
  return () => value;
}

/** Makes the function of an expression. Throws 400 for names, parameters and functions that do not exist. */
export function compile(e: Expression, scope: Scope): Evaluate {
  const each = (one: Expression) => compile(one, scope);
  switch (e.kind) {
    case 'constant':
      return () => e.value;
    case 'parameter':
      return parameter(e.name, scope);
    case 'name':
      return reference(e.name, scope);
    case 'member':
      return member(each(e.object), each(e.key));
    case 'unary':
      return unary(e.operator, each(e.argument));
    case 'binary':
      return binary(e.operator, each(e.left), each(e.right));
    case 'between': {
      const value = each(e.value);
      return logic(binary('>=', value, each(e.low)), binary('<=', value, each(e.high)), false);
    }
    case 'in':
      return isIn(each(e.value), e.list.map(each));
    case 'like':
      return like(each(e.value), each(e.pattern), e.escape);
    case 'conditional': {
      const [test, consequent, otherwise] = [each(e.test), each(e.consequent), each(e.otherwise)];
      return (row) => (test(row) === true ? consequent(row) : otherwise(row));
    }
    case 'call':
      return call(e.name, e.arguments, scope);
    case 'object':
      return object(e.entries.map(({ key, value }) => ({ key, value: each(value) })));
    case 'array': {
      const elements = e.elements.map(each);
      return (row) => elements.map((element) => element(row)).filter((value) => value !== undefined);
    }
    case 'subquery':
      return subquery(e.form, scope.subquery(e.query, scope));
  }
}
