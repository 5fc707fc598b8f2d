/**
 * Parses the SQL of Cosmos DB (https://learn.microsoft.com/cosmos-db/query/overview).
 * What it does not know is refused with 400: a query is answered rightly or not at all.
 */
import { badRequest } from '../failure.ts';
import { Cursor } from './cursor.ts';
import { expression, postfix, primary } from './expression.ts';
import type { Expression, Ordering, Query, SelectItem, Source } from './syntax.ts';

/** the service's own limit, in characters */
const maxQueryLength = 512 * 1024;

function query(c: Cursor): Query {
  c.expectWord('select');
  const distinct = c.word('distinct');
  const top = c.word('top') ? primary(c) : undefined;
  const select = selection(c);
  const from = c.word('from') ? sources(c) : [];
  const where = c.word('where') ? expression(c) : undefined;
  let groupBy: Expression[] = [];
  if (c.word('group')) {
    c.expectWord('by');
    groupBy = c.separated(() => expression(c));
  }
  if (c.isWord('having')) throw badRequest('HAVING is not part of Cosmos DB SQL');
  const orderBy = orderings(c);
  let offset: Expression | undefined;
  let limit: Expression | undefined;
  if (c.word('offset')) {
    offset = primary(c);
    c.expectWord('limit');
    limit = primary(c);
  }
  return { distinct, top, select, from, where, groupBy, orderBy, offset, limit };
}

function selection(c: Cursor): Query['select'] {
  if (c.symbol('*')) return { kind: 'all' };
  if (c.word('value')) return { kind: 'value', expression: expression(c) };
  let unnamed = 0;
  const items = c.separated((): SelectItem => {
    const selected = expression(c);
    if (c.word('as') || c.isName()) {
      return { expression: selected, name: c.token.kind === 'string' ? c.next().text : c.identifier() };
    }
    if (selected.kind === 'name') return { expression: selected, name: selected.name };
    if (selected.kind === 'member' && selected.key.kind === 'constant' && typeof selected.key.value === 'string') {
      return { expression: selected, name: selected.key.value };
    }
    unnamed += 1;
    return { expression: selected, name: `$${unnamed}` };
  });
  const names = new Set(items.map(({ name }) => name));
  if (names.size < items.length) {
    throw badRequest('Two selected values have the same name: give them aliases with AS');
  }
  return { kind: 'list', items };
}

function sources(c: Cursor): Source[] {
  const all = [source(c)];
  while (c.word('join')) {
    const joined = source(c);
    if (joined.iterates === undefined) throw badRequest('Only JOIN alias IN path is supported');
    all.push(joined);
  }
  const aliases = new Set(all.map(({ alias }) => alias));
  if (aliases.size < all.length) throw badRequest('Two sources of the query have the same alias');
  return all;
}

function source(c: Cursor): Source {
  const { start } = c.token;
  if (c.symbol('(')) throw badRequest('Subqueries in FROM and JOIN are not supported by the local endpoint');
  const name = c.identifier();
  if (c.word('in')) return { alias: name, iterates: path(c), start, end: c.end };
  if (c.symbol('.') || c.symbol('['))
    throw badRequest('FROM with a path is not supported by the local endpoint: use FROM alias IN path');
  const aliased = c.word('as') || c.isName();
  return { alias: aliased ? c.identifier() : name, iterates: undefined, start, end: c.end };
}

function path(c: Cursor): Expression {
  const found = postfix(c);
  for (let e = found; e.kind !== 'name'; e = e.object) if (e.kind !== 'member') throw c.error('a path');
  return found;
}

function orderings(c: Cursor): Ordering[] {
  if (!c.word('order')) return [];
  c.expectWord('by');
  return c.separated(() => {
    const key = expression(c);
    const descending = c.word('desc');
    if (!descending) c.word('asc');
    return { expression: key, descending };
  });
}

/** Syntax tree of a query. Throws 400 with position and reason. */
export function parseQuery(text: string): Query {
  if (text.length > maxQueryLength) throw badRequest(`A query has at most ${maxQueryLength} characters`);
  const cursor = new Cursor(text, query);
  const parsed = query(cursor);
  if (cursor.token.kind !== 'end') throw cursor.error('the end of the query');
  return parsed;
}
