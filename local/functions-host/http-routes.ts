/** Route templates of HTTP triggers, as ASP.NET Core routing reads and orders them. */
import type { HttpTrigger, RegisteredFunction } from './registered-function.ts';

export type HttpFunction = RegisteredFunction<HttpTrigger>;

interface Route {
  function: HttpFunction;
  pattern: RegExp;
  parameters: { name: string; checks: ((value: string) => boolean)[] }[];
  /** smaller wins */
  precedence: number;
}

const number = (value: string) => (/^[+-]?\d+(?:\.\d+)?$/.test(value) ? Number(value) : Number.NaN);
const integerBetween = (value: string, least: bigint, most: bigint) =>
  /^[+-]?\d{1,30}$/.test(value) && BigInt(value) >= least && BigInt(value) <= most;

/** Constraints that take no argument. */
const simpleConstraints: Record<string, (value: string) => boolean> = {
  int: (value) => integerBetween(value, -(2n ** 31n), 2n ** 31n - 1n),
  long: (value) => integerBetween(value, -(2n ** 63n), 2n ** 63n - 1n),
  bool: (value) => /^(?:true|false)$/i.test(value),
  alpha: (value) => /^[a-z]*$/i.test(value),
  guid: (value) => /^\{?[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\}?$/i.test(value),
  decimal: (value) => !Number.isNaN(number(value)),
  double: (value) => value.trim() !== '' && !Number.isNaN(Number(value)),
  float: (value) => value.trim() !== '' && !Number.isNaN(Number(value)),
  datetime: (value) => !Number.isNaN(Date.parse(value)),
  required: (value) => value.length > 0,
};

/** Constraints with one number, or two. */
const numericConstraints: Record<string, (value: string, first: number, second?: number) => boolean> = {
  minlength: (value, least) => value.length >= least,
  maxlength: (value, most) => value.length <= most,
  length: (value, least, most = least) => value.length >= least && value.length <= most,
  min: (value, least) => number(value) >= least,
  max: (value, most) => number(value) <= most,
  range: (value, least, most = least) => number(value) >= least && number(value) <= most,
};

function parseConstraint(text: string): (value: string) => boolean {
  const simple = Object.hasOwn(simpleConstraints, text) ? simpleConstraints[text] : undefined;
  if (simple) return simple;
  const match = /^([a-z]+)\((-?\d+)(?:,\s*(-?\d+))?\)$/.exec(text);
  const numeric = match?.[1] && Object.hasOwn(numericConstraints, match[1]) ? numericConstraints[match[1]] : undefined;
  if (!match || !numeric) throw new Error(`unknown route constraint '${text}'`);
  const second = match[3] === undefined ? undefined : Number(match[3]);
  return (value) => numeric(value, Number(match[2]), second);
}

const escape = (text: string) => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);

/** Reads one segment: its pattern with leading slash, its parameters, and its digit in the precedence. */
function parseSegment(segment: string, isLast: boolean) {
  const parameters: Route['parameters'] = [];
  let constrained = false;
  let catchAll = false;
  let optional = false;
  const pattern = segment.replaceAll(/\{([^{}]*)\}|[^{}]+|[{}]/g, (part: string, inner: string | undefined) => {
    if (inner === undefined) {
      if (/[{}]/.test(part)) throw new Error(`segment '${segment}' has an unmatched brace`);
      return escape(part);
    }
    const match = /^(\*{0,2})([A-Za-z_]\w*)((?::[^:?=]+)*)(\?)?$/.exec(inner);
    if (!match?.[2]) throw new Error(`'{${inner}}' is no route parameter`);
    const constraints = (match[3] ?? '').split(':').slice(1);
    constrained ||= constraints.length > 0;
    catchAll ||= match[1] !== '';
    optional ||= match[4] === '?';
    parameters.push({ name: match[2], checks: constraints.map(parseConstraint) });
    return match[1] ? '(.*)' : '([^/]+?)';
  });
  const whole = /^\{[^{}]*\}$/.test(segment);
  if ((catchAll || optional) && !(isLast && whole)) throw new Error(`'${segment}' must be the last segment, alone`);
  const digit = parameters.length === 0 ? 1 : !whole ? 2 : (catchAll ? 5 : 3) - (constrained ? 1 : 0);
  return { pattern: catchAll || optional ? `(?:/${pattern})?` : `/${pattern}`, parameters, digit };
}

function compileRoute(target: HttpFunction): Route {
  const template = (target.trigger.route || target.name).replaceAll(/^\/+|\/+$/g, '');
  if (/^(?:admin|runtime)/i.test(template)) {
    throw new Error('The specified route conflicts with one or more built in routes.');
  }
  const segments = template.split('/');
  const parsed = segments.map((segment, index) => parseSegment(segment, index === segments.length - 1));
  const parameters = parsed.flatMap((segment) => segment.parameters);
  const names = parameters.map((parameter) => parameter.name.toLowerCase());
  if (new Set(names).size < names.length) throw new Error('a route parameter appears twice');
  return {
    function: target,
    pattern: new RegExp(`^${parsed.map((segment) => segment.pattern).join('')}/?$`, 'i'),
    parameters,
    precedence: parsed.reduce((sum, segment, index) => sum + segment.digit / 10 ** index, 0),
  };
}

/** Compiles the routes of all HTTP functions, best match first; throws naming the function whose route is wrong. */
export function compileRoutes(functions: HttpFunction[]): Route[] {
  const routes = functions.map((one) => {
    try {
      return compileRoute(one);
    } catch (error) {
      throw new Error(`function '${one.name}': ${(error as Error).message}`, { cause: error });
    }
  });
  return routes.sort((a, b) => a.precedence - b.precedence);
}

/** ASP.NET decodes path values, but leaves an encoded slash alone. */
function decode(value: string): string {
  return decodeURIComponent(value.replaceAll(/%2f/gi, '%252F'));
}

function matchParameters(route: Route, path: string): Record<string, string> | undefined {
  const match = route.pattern.exec(path);
  if (!match) return undefined;
  const params: Record<string, string> = {};
  for (const [index, { name, checks }] of route.parameters.entries()) {
    const raw = match[index + 1];
    if (raw === undefined || raw === '') continue;
    const value = decode(raw);
    if (!checks.every((check) => check(value))) return undefined;
    params[name] = value;
  }
  return params;
}

/**
 * The function that answers `method` at `path` (percent-encoded, behind the route prefix, leading slash), with its
 * route parameters. Undefined when there is none: in Azure a wrong method is no match either, hence 404 and never 405.
 * Throws URIError for a broken percent encoding.
 */
export function matchRoute(
  routes: Route[],
  method: string,
  path: string,
): { function: HttpFunction; params: Record<string, string> } | undefined {
  for (const route of routes) {
    const { methods } = route.function.trigger;
    const params = methods.length === 0 || methods.includes(method) ? matchParameters(route, path) : undefined;
    if (params) return { function: route.function, params };
  }
  return undefined;
}
