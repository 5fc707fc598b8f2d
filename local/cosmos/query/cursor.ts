/** A place in the tokens of a query, and the ways to take the next one. */
import { badRequest, type Failure } from '../failure.ts';
import type { Query } from './syntax.ts';
import { type Token, tokenize } from './tokens.ts';

const maxDepth = 100;

/** words that cannot be aliases */
const reserved = new Set(
  'and array as asc between by desc distinct escape exists from group having in join like limit not null offset or order select top udf undefined value where'.split(
    ' ',
  ),
);

export class Cursor {
  readonly tokens: Token[];
  /** reads a whole query, for subqueries in expressions */
  readonly query: (cursor: Cursor) => Query;
  position = 0;
  depth = 0;

  constructor(source: string, query: (cursor: Cursor) => Query) {
    this.tokens = tokenize(source);
    this.query = query;
  }

  get token(): Token {
    const token = this.tokens[this.position];
    if (token === undefined) throw new Error('read past the end of the query');
    return token;
  }

  error(wanted: string): Failure {
    const { kind, text, start } = this.token;
    return badRequest(
      `Syntax error at position ${start}: expected ${wanted}, found ${kind === 'end' ? 'the end of the query' : `'${text.slice(0, 40)}'`}`,
    );
  }

  next(): Token {
    const { token } = this;
    if (token.kind !== 'end') this.position += 1;
    return token;
  }

  /** end offset of the last token taken */
  get end(): number {
    return this.tokens[this.position - 1]?.end ?? 0;
  }

  isWord(word: string, ahead = 0): boolean {
    const token = this.tokens[this.position + ahead];
    return token?.kind === 'word' && token.text.toLowerCase() === word;
  }

  word(word: string): boolean {
    if (!this.isWord(word)) return false;
    this.position += 1;
    return true;
  }

  symbol(symbol: string): boolean {
    if (this.token.kind !== 'symbol' || this.token.text !== symbol) return false;
    this.position += 1;
    return true;
  }

  expectWord(word: string): void {
    if (!this.word(word)) throw this.error(word.toUpperCase());
  }

  expectSymbol(symbol: string): void {
    if (!this.symbol(symbol)) throw this.error(`'${symbol}'`);
  }

  identifier(): string {
    const { kind, text } = this.token;
    if (kind !== 'word' || reserved.has(text.toLowerCase())) throw this.error('a name');
    return this.next().text;
  }

  separated<T>(read: () => T): T[] {
    const items = [read()];
    while (this.symbol(',')) items.push(read());
    return items;
  }

  /** items up to the closing symbol, maybe none */
  list<T>(close: string, read: () => T): T[] {
    if (this.symbol(close)) return [];
    const items = this.separated(read);
    this.expectSymbol(close);
    return items;
  }

  /** an alias without AS can stand here */
  isName(): boolean {
    return this.token.kind === 'word' && !reserved.has(this.token.text.toLowerCase());
  }

  /** Runs `read` one level deeper. Throws 400 when a query is nested beyond reason. */
  nested<T>(read: () => T): T {
    this.depth += 1;
    if (this.depth > maxDepth) throw badRequest('The query is nested too deeply');
    const result = read();
    this.depth -= 1;
    return result;
  }
}
