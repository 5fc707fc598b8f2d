/** Syntax tree of a Cosmos DB query. `start` and `end` are offsets in the text, so that plans can quote it. */
interface Span {
  start: number;
  end: number;
}

export type BinaryOperator =
  | 'and'
  | 'or'
  | '??'
  | '='
  | '!='
  | '<'
  | '<='
  | '>'
  | '>='
  | '||'
  | '+'
  | '-'
  | '*'
  | '/'
  | '%'
  | '&'
  | '|'
  | '^'
  | '<<'
  | '>>'
  | '>>>';

export type Expression = Span &
  (
    | { kind: 'constant'; value: unknown }
    | { kind: 'parameter'; name: string }
    | { kind: 'name'; name: string }
    | { kind: 'member'; object: Expression; key: Expression }
    | { kind: 'unary'; operator: 'not' | '-' | '+' | '~'; argument: Expression }
    | { kind: 'binary'; operator: BinaryOperator; left: Expression; right: Expression }
    | { kind: 'between'; value: Expression; low: Expression; high: Expression }
    | { kind: 'in'; value: Expression; list: Expression[] }
    | { kind: 'like'; value: Expression; pattern: Expression; escape: string | undefined }
    | { kind: 'conditional'; test: Expression; consequent: Expression; otherwise: Expression }
    | { kind: 'call'; name: string; arguments: Expression[] }
    | { kind: 'object'; entries: { key: string; value: Expression }[] }
    | { kind: 'array'; elements: Expression[] }
    | { kind: 'subquery'; form: 'exists' | 'array' | 'scalar'; query: Query }
  );

export interface SelectItem {
  expression: Expression;
  /** name in the result: the alias, the last property, or `$1`, `$2`, .. */
  name: string;
}

/** `FROM alias` (no path: the document itself) or `alias IN path` */
export interface Source extends Span {
  alias: string;
  iterates: Expression | undefined;
}

export interface Ordering {
  expression: Expression;
  descending: boolean;
}

export interface Query {
  distinct: boolean;
  top: Expression | undefined;
  select: { kind: 'all' } | { kind: 'value'; expression: Expression } | { kind: 'list'; items: SelectItem[] };
  from: Source[];
  where: Expression | undefined;
  groupBy: Expression[];
  orderBy: Ordering[];
  offset: Expression | undefined;
  limit: Expression | undefined;
}
