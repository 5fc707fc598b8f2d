/**
 * Runs the part of Kusto that infra/queries/signals.kql is written in, so that the rule itself meets records and not a
 * copy of it; anything else throws. Times and time spans are milliseconds. https://learn.microsoft.com/kusto/query/
 */
export type Value = number | string | boolean | null | { [name: string]: Value };
export type Row = Record<string, Value>;
type Expression = (row: Row, group: Row[]) => Value;
type Operator = (rows: Row[]) => Row[];

const token =
  /\s*(?:\/\/[^\n]*\n\s*)*(?:(?<span>\d+(?:d|h|m|s)\b)|(?<number>\d+(?:\.\d+)?)|"(?<text>[^"]*)"|(?<name>[A-Za-z_]\w*)|(?<sign>==|!=|>=|<=|[-+*/<>=|;,().]))\s*/y;
const spanMs: Record<string, number> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000 };

interface Token {
  kind: 'number' | 'text' | 'name' | 'sign' | 'end';
  text: string;
}

function tokensOf(query: string): Token[] {
  const tokens: Token[] = [];
  token.lastIndex = 0;
  while (token.lastIndex < query.trimEnd().length) {
    const { span, number, text, name, sign } = token.exec(query)?.groups ?? {};
    if (span !== undefined)
      tokens.push({ kind: 'number', text: String(Number.parseInt(span) * (spanMs[span.at(-1) ?? ''] ?? 0)) });
    else if (number !== undefined) tokens.push({ kind: 'number', text: number });
    else if (text !== undefined) tokens.push({ kind: 'text', text });
    else if (name !== undefined) tokens.push({ kind: 'name', text: name });
    else if (sign !== undefined) tokens.push({ kind: 'sign', text: sign });
    else throw new Error(`not understood, after ${JSON.stringify(tokens.at(-1)?.text)}`);
  }
  return tokens;
}

const numbers = (values: Value[]): number[] => values.filter((value) => typeof value === 'number');
const aggregates: Record<string, (values: Value[]) => Value> = {
  count: (values) => values.length,
  countif: (values) => values.filter((value) => value === true).length,
  sum: (values) => numbers(values).reduce((a, b) => a + b, 0),
  max: (values) => (numbers(values).length === 0 ? null : Math.max(...numbers(values))),
  min: (values) => (numbers(values).length === 0 ? null : Math.min(...numbers(values))),
};
const functions: Record<string, (...values: Value[]) => Value> = {
  tostring: (value = null) => (value === null ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value)),
  toreal: (value = null) => (value === null ? null : Number(value)),
  isnotempty: (value = null) => value !== null && value !== '',
  max_of: (...values) => Math.max(...numbers(values)),
  iff: (condition = null, yes = null, no = null) => (condition === true ? yes : no),
};
const arithmetic = (work: (a: number, b: number) => number | boolean) => (a: Value, b: Value) =>
  typeof a === 'number' && typeof b === 'number' ? work(a, b) : null;
/** from what binds least to what binds most */
const binary: Record<string, (a: Value, b: Value) => Value>[] = [
  { or: (a, b) => a === true || b === true },
  { and: (a, b) => a === true && b === true },
  {
    ...{ '==': (a, b) => a === b, '!=': (a, b) => a !== b },
    ...{ '>': arithmetic((a, b) => a > b), '<': arithmetic((a, b) => a < b) },
    ...{ '>=': arithmetic((a, b) => a >= b), '<=': arithmetic((a, b) => a <= b) },
  },
  { '+': arithmetic((a, b) => a + b), '-': arithmetic((a, b) => a - b) },
  { '*': arithmetic((a, b) => a * b), '/': arithmetic((a, b) => a / b) },
];

function parser(tokens: Token[], now: number) {
  let at = 0;
  const peek = (): Token => tokens[at] ?? { kind: 'end', text: '' };
  const is = (text: string): boolean => peek().kind !== 'text' && peek().text === text;
  const take = (text: string): boolean => is(text) && ++at > 0;
  const expect = (text: string): void => {
    if (!take(text)) throw new Error(`expected ${text}, found ${peek().text}`);
  };
  const name = (): string => {
    const { kind, text } = peek();
    if (kind !== 'name') throw new Error(`expected a name, found ${text}`);
    at++;
    return text;
  };
  function list<T>(item: () => T, until?: string): T[] {
    const items: T[] = [];
    if (until !== undefined && take(until)) return items;
    do items.push(item());
    while (take(','));
    if (until !== undefined) expect(until);
    return items;
  }

  function call(called: string): Expression {
    const given = list(expression, ')');
    const aggregate = aggregates[called];
    if (aggregate !== undefined)
      return (_row, group) => aggregate(group.map((row) => (given[0] === undefined ? true : given[0](row, []))));
    if (called === 'now') return () => now;
    if (called === 'ago') return (row, group) => now - Number(given[0]?.(row, group));
    const work = functions[called];
    if (work === undefined) throw new Error(`there is no ${called}() here`);
    return (row, group) => work(...given.map((one) => one(row, group)));
  }

  function primary(): Expression {
    if (take('(')) {
      const inner = expression();
      expect(')');
      return inner;
    }
    const { kind, text } = peek();
    at++;
    if (kind === 'number') return () => Number(text);
    if (kind === 'text') return () => text;
    if (kind !== 'name') throw new Error(`expected a value, found ${text}`);
    if (take('(')) return call(text);
    let read: Expression = (row) => row[text] ?? null;
    while (take('.')) {
      const [outer, field] = [read, name()];
      read = (row, group) => (outer(row, group) as Record<string, Value> | null)?.[field] ?? null;
    }
    return read;
  }

  function level(of: number): Expression {
    const signs = binary[of];
    if (signs === undefined) return primary();
    let left = level(of + 1);
    for (;;) {
      if (of === 2 && take('in')) {
        expect('(');
        const [one, among] = [left, list(expression, ')')];
        left = (row, group) => among.some((value) => value(row, group) === one(row, group));
        continue;
      }
      const sign = peek().kind === 'text' ? undefined : signs[peek().text];
      if (sign === undefined) return left;
      at++;
      const [a, b] = [left, level(of + 1)];
      left = (row, group) => sign(a(row, group), b(row, group));
    }
  }
  function expression(): Expression {
    return level(0);
  }
  /** `name = expression`, or a column as it is called */
  function named(): [string, Expression] {
    const called = name();
    return take('=') ? [called, expression()] : [called, (row) => row[called] ?? null];
  }

  function operator(): Operator {
    const what = name();
    if (what === 'where') {
      const condition = expression();
      return (rows) => rows.filter((row) => condition(row, []) === true);
    }
    const columns = list(named);
    const values = (row: Row, group: Row[]): Row =>
      Object.fromEntries(columns.map(([column, value]) => [column, value(row, group)]));
    if (what === 'extend') return (rows) => rows.map((row) => ({ ...row, ...values(row, []) }));
    if (what === 'project') return (rows) => rows.map((row) => values(row, []));
    if (what !== 'summarize') throw new Error(`there is no ${what} here`);
    if (!take('by')) return (rows) => [values({}, rows)];
    const keys = list(named);
    return (rows) => {
      const groups = new Map<string, [Row, Row[]]>();
      for (const row of rows) {
        const key: Row = Object.fromEntries(keys.map(([column, value]) => [column, value(row, [])]));
        const text = JSON.stringify(key);
        groups.set(text, [key, [...(groups.get(text)?.[1] ?? []), row]]);
      }
      return [...groups.values()].map(([key, group]) => ({ ...key, ...values({}, group) }));
    };
  }

  function table(tables: Record<string, Row[]>): Row[] {
    const of = (called: string): Row[] => {
      const rows = tables[called];
      if (rows === undefined) throw new Error(`there is no table ${called}`);
      return rows;
    };
    let rows = take('union') ? list(name).flatMap(of) : of(name());
    while (take('|')) rows = operator()(rows);
    return rows;
  }

  return { take, expect, name, table };
}

/** What the query answers on these tables at that moment. Throws on what this does not understand. */
export function runQuery(query: string, tables: Record<string, Row[]>, now: number): Row[] {
  const parse = parser(tokensOf(query), now);
  const known = { ...tables };
  while (parse.take('let')) {
    const called = parse.name();
    parse.expect('=');
    known[called] = parse.table(known);
    parse.expect(';');
  }
  return parse.table(known);
}
