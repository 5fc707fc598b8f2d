/** Splits a query into tokens. */
import { badRequest } from '../failure.ts';

export interface Token {
  kind: 'word' | 'number' | 'string' | 'parameter' | 'symbol' | 'end';
  /** as written; for strings the value */
  text: string;
  start: number;
  end: number;
}

const whitespaceAndComments = /(?:\s+|--[^\n]*)*/y;
const pattern =
  /(?<number>0x[0-9a-f]+|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)|(?<word>[A-Za-z_][A-Za-z0-9_]*)|(?<parameter>@[A-Za-z0-9_]+)|(?<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?<symbol>>>>|<<|>>|<=|>=|<>|!=|\?\?|\|\||[-+*/%&|^~=<>(){}[\],.:?])/iy;
const escapes: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

function unquote(text: string): string {
  return text
    .slice(1, -1)
    .replaceAll(/\\(?:u([0-9a-fA-F]{4})|(.))/gs, (_, code: string | undefined, one: string) =>
      code === undefined ? (escapes[one] ?? one) : String.fromCharCode(Number.parseInt(code, 16)),
    );
}

/** Tokens of a query, the last one of kind `end`. Throws 400 on a character no token starts with. */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  let position = 0;
  for (;;) {
    whitespaceAndComments.lastIndex = position;
    whitespaceAndComments.exec(source);
    position = whitespaceAndComments.lastIndex;
    if (position >= source.length) break;
    pattern.lastIndex = position;
    const match = pattern.exec(source);
    if (match === null)
      throw badRequest(`Syntax error at position ${position}, near '${source.slice(position, position + 20)}'`);
    const found = Object.entries(match.groups ?? {}).find(([, text]) => text !== undefined);
    const kind = (found?.[0] ?? 'symbol') as Token['kind'];
    const text = kind === 'string' ? unquote(match[0]) : match[0];
    tokens.push({ kind, text, start: position, end: pattern.lastIndex });
    position = pattern.lastIndex;
  }
  tokens.push({ kind: 'end', text: '', start: source.length, end: source.length });
  return tokens;
}
