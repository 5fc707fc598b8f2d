/** Parses expressions by precedence climbing. */
import { badRequest } from '../failure.ts';
import type { Cursor } from './cursor.ts';
import type { BinaryOperator, Expression } from './syntax.ts';

/** weakest first */
const levels: BinaryOperator[][] = [
  ['??'],
  ['or'],
  ['and'],
  ['|'],
  ['^'],
  ['&'],
  ['=', '!=', '<', '<=', '>', '>='],
  ['<<', '>>', '>>>'],
  ['||'],
  ['+', '-'],
  ['*', '/', '%'],
];
/** IN, BETWEEN and LIKE bind like comparisons; their operands reach down to the next level */
const comparisonLevel = 6;

/** Reads one expression. Throws 400 with position and reason. */
export function expression(c: Cursor): Expression {
  const { start } = c.token;
  const test = c.nested(() => binary(c, 0));
  if (!c.symbol('?')) return test;
  const consequent = expression(c);
  c.expectSymbol(':');
  const otherwise = expression(c);
  return { kind: 'conditional', test, consequent, otherwise, start, end: c.end };
}

function operatorAt(c: Cursor, level: number): BinaryOperator | undefined {
  const { kind, text } = c.token;
  if (kind !== 'word' && kind !== 'symbol') return undefined;
  const operator = text === '<>' ? '!=' : text.toLowerCase();
  return levels[level]?.find((candidate) => candidate === operator);
}

function binary(c: Cursor, level: number): Expression {
  if (level === levels.length) return unary(c);
  const { start } = c.token;
  // NOT binds weaker than comparisons and stronger than AND
  if (level === 3 && c.word('not')) {
    return { kind: 'unary', operator: 'not', argument: binary(c, level), start, end: c.end };
  }
  let left = binary(c, level + 1);
  for (;;) {
    const operator = operatorAt(c, level);
    if (operator !== undefined) {
      c.position += 1;
      left = { kind: 'binary', operator, left, right: binary(c, level + 1), start, end: c.end };
      continue;
    }
    const predicate = level === comparisonLevel ? predicateAfter(c, left, start) : undefined;
    if (predicate === undefined) return left;
    left = predicate;
  }
}

/** [NOT] IN, BETWEEN, LIKE after their left operand */
function predicateAfter(c: Cursor, value: Expression, start: number): Expression | undefined {
  const negated = c.isWord('not') && ['in', 'between', 'like'].some((word) => c.isWord(word, 1));
  if (negated) c.position += 1;
  const below = () => binary(c, comparisonLevel + 1);
  let found: Expression;
  if (c.word('in')) {
    c.expectSymbol('(');
    const list = c.separated(() => expression(c));
    c.expectSymbol(')');
    found = { kind: 'in', value, list, start, end: c.end };
  } else if (c.word('between')) {
    const low = below();
    c.expectWord('and');
    const high = below();
    found = { kind: 'between', value, low, high, start, end: c.end };
  } else if (c.word('like')) {
    const pattern = below();
    let escape: string | undefined;
    if (c.word('escape')) {
      if (c.token.kind !== 'string' || c.token.text.length !== 1) throw c.error('one escape character');
      escape = c.next().text;
    }
    found = { kind: 'like', value, pattern, escape, start, end: c.end };
  } else {
    return undefined;
  }
  return negated ? { kind: 'unary', operator: 'not', argument: found, start, end: c.end } : found;
}

function unary(c: Cursor): Expression {
  const { start, text, kind } = c.token;
  if (kind === 'symbol' && (text === '-' || text === '+' || text === '~')) {
    c.position += 1;
    const argument = c.nested(() => unary(c));
    return { kind: 'unary', operator: text, argument, start, end: c.end };
  }
  return postfix(c);
}

/** Reads an operand and the `.x` and `[x]` after it. */
export function postfix(c: Cursor): Expression {
  const { start } = c.token;
  let object = primary(c);
  for (;;) {
    let key: Expression;
    if (c.symbol('.')) {
      const name = c.next();
      if (name.kind !== 'word') throw c.error('a property name');
      key = { kind: 'constant', value: name.text, start: name.start, end: name.end };
    } else if (c.symbol('[')) {
      key = expression(c);
      c.expectSymbol(']');
    } else {
      return object;
    }
    object = { kind: 'member', object, key, start, end: c.end };
  }
}

/** Reads one operand without operators. */
export function primary(c: Cursor): Expression {
  const { kind, text, start, end } = c.token;
  if (kind === 'number') return { kind: 'constant', value: Number(c.next().text), start, end };
  if (kind === 'string') return { kind: 'constant', value: c.next().text, start, end };
  if (kind === 'parameter') return { kind: 'parameter', name: c.next().text, start, end };
  if (kind === 'symbol') return bracketed(c);
  if (kind === 'end') throw c.error('an expression');
  const constants: Record<string, unknown> = { true: true, false: false, null: null, undefined };
  const lower = text.toLowerCase();
  if (Object.hasOwn(constants, lower)) {
    c.position += 1;
    return { kind: 'constant', value: constants[lower], start, end };
  }
  if (lower === 'exists' || (lower === 'array' && c.tokens[c.position + 1]?.text === '(')) {
    c.position += 1;
    c.expectSymbol('(');
    return subquery(c, lower, start);
  }
  if (lower === 'udf') throw badRequest('User-defined functions are not supported by the local endpoint');
  const name = c.identifier();
  if (!c.symbol('(')) return { kind: 'name', name, start, end };
  const args = c.list(')', () => expression(c));
  return { kind: 'call', name: name.toUpperCase(), arguments: args, start, end: c.end };
}

function bracketed(c: Cursor): Expression {
  const { start } = c.token;
  if (c.symbol('(')) {
    if (c.isWord('select')) return subquery(c, 'scalar', start);
    const inner = expression(c);
    c.expectSymbol(')');
    return { ...inner, start, end: c.end };
  }
  if (c.symbol('[')) {
    const elements = c.list(']', () => expression(c));
    return { kind: 'array', elements, start, end: c.end };
  }
  if (!c.symbol('{')) throw c.error('an expression');
  const entries = c.list('}', () => {
    const key = c.next();
    if (key.kind !== 'string' && key.kind !== 'word') throw c.error('a property name');
    c.expectSymbol(':');
    return { key: key.text, value: expression(c) };
  });
  return { kind: 'object', entries, start, end: c.end };
}

function subquery(c: Cursor, form: 'exists' | 'array' | 'scalar', start: number): Expression {
  const query = c.nested(() => c.query(c));
  c.expectSymbol(')');
  return { kind: 'subquery', form, query, start, end: c.end };
}
