/** Runs a query over documents, page by page. */
import * as z from 'zod';
import { badRequest } from '../failure.ts';
import type { Row } from './compile.ts';
import { grouped, identity, type Program } from './program.ts';
import { compare, rank } from './values.ts';

/** all headers together have 16 KiB at most in Node */
const maxTokenLength = 8 * 1024;

export interface Candidate {
  /** documents are scanned in the order of their numbers */
  number: number;
  document: unknown;
}

/**
 * Where a page ended. Streamed and ordered results resume behind a row, so that documents written between two pages
 * neither repeat nor hide others; groups and DISTINCT resume behind a count.
 */
const position = z.strictObject({
  /** results given so far, those skipped by OFFSET included */
  given: z.int().min(0),
  /** last row: number of its document, index among the document's rows, values of ORDER BY */
  row: z
    .strictObject({
      number: z.int(),
      index: z.int().min(0),
      // [] is a missing value
      keys: z.array(z.array(z.unknown()).max(1)).transform((keys) => keys.map(([key]) => key)),
    })
    .optional(),
});
export type Position = z.infer<typeof position>;

/** arrays and objects are ordered by type alone, so their content is of no use in a token */
const wireKey = (key: unknown): unknown[] =>
  key === undefined ? [] : rank(key) > 4 ? [Array.isArray(key) ? [] : {}] : [key];

/** A continuation token: text that fits a header. */
export function formatPosition({ given, row }: Position): string {
  const wire = { given, ...(row === undefined ? {} : { row: { ...row, keys: row.keys.map(wireKey) } }) };
  const token = Buffer.from(JSON.stringify(wire)).toString('base64url');
  if (token.length > maxTokenLength) throw badRequest('The values of ORDER BY are too long for paging');
  return token;
}

/** Reads a continuation token. Throws 400. */
export function parsePosition(token: string): Position {
  try {
    return position.parse(JSON.parse(Buffer.from(token, 'base64url').toString()));
  } catch {
    throw badRequest('The continuation token is not valid');
  }
}

interface Found {
  row: Row;
  number: number;
  index: number;
  keys: unknown[];
}

/** Order of two rows: by the keys, then by document; as in the service, a descending key turns the tie-break too. */
function order(program: Program): (a: Omit<Found, 'row'>, b: Omit<Found, 'row'>) => number {
  const directions = program.query.orderBy.map(({ descending }) => (descending ? -1 : 1));
  const tie = directions.includes(-1) ? -1 : 1;
  return (a, b) => {
    for (const [i, direction] of directions.entries()) {
      const result = compare(a.keys[i], b.keys[i]) * direction;
      if (result !== 0) return result;
    }
    return (a.number - b.number) * tie || a.index - b.index;
  };
}

function* found(program: Program, candidates: Iterable<Candidate>): Iterable<Found> {
  for (const { number, document } of candidates) {
    for (const [index, row] of program.rows(document).entries()) {
      const keys = program.keys.map((key) => key(row));
      // one key that is missing takes the row out of an ordered result; with several, missing sorts first
      if (keys.length === 1 && keys[0] === undefined) continue;
      yield { row, number, index, keys };
    }
  }
}

function* distinct(values: Iterable<unknown>): Iterable<unknown> {
  const seen = new Set<string>();
  for (const value of values) {
    const key = identity(value);
    if (seen.has(key)) continue;
    seen.add(key);
    yield value;
  }
}

/** Rows in the order of the result, behind the position. */
function* ordered(
  program: Program,
  candidates: Iterable<Candidate>,
  presorted: boolean,
  from: Position | undefined,
): Iterable<Found> {
  const compareRows = order(program);
  const all = presorted ? found(program, candidates) : [...found(program, candidates)].sort(compareRows);
  const last = from?.row;
  for (const each of all) if (last === undefined || compareRows(each, last) > 0) yield each;
}

export interface Result {
  value: unknown;
  /** where the next page starts if this is the last of its page */
  position: Position;
}

/**
 * Results in order, from a position on. `presorted`: the candidates come in the order of the result (ORDER BY, or their
 * numbers), so that they are read no further than the results are; they may start anywhere before the position.
 */
export function* run(
  program: Program,
  candidates: Iterable<Candidate>,
  presorted: boolean,
  from: Position | undefined,
): Iterable<Result> {
  const end = Math.min(program.offset + program.limit, Number.MAX_SAFE_INTEGER);
  let given = from?.given ?? 0;
  if (given >= end) return;
  if (program.aggregated || program.query.distinct) {
    const rows = ordered(program, candidates, presorted, undefined);
    const values = program.aggregated ? grouped(program, rowsOf(rows)) : projected(program, rows);
    let seen = 0;
    for (const value of program.query.distinct ? distinct(values) : values) {
      if (value === undefined) continue;
      seen += 1;
      if (seen <= given || seen <= program.offset) continue;
      yield { value, position: { given: seen } };
      if (seen >= end) return;
    }
    return;
  }
  for (const { row, number, index, keys } of ordered(program, candidates, presorted, from)) {
    const value = program.project(row);
    if (value === undefined) continue;
    given += 1;
    if (given <= program.offset) continue;
    yield { value, position: { given, row: { number, index, keys } } };
    if (given >= end) return;
  }
}

function* rowsOf(all: Iterable<Found>): Iterable<Row> {
  for (const { row } of all) yield row;
}

function* projected(program: Program, all: Iterable<Found>): Iterable<unknown> {
  for (const { row } of all) yield program.project(row);
}
