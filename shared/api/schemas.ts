/** JSON schemas of an OpenAPI document, each under its name: whoever generates a client gets a type for each. */
import * as z from 'zod';
import './component-names.ts';

export type Json = Record<string, unknown>;

const prefix = '#/components/schemas/';

/** Every `$ref` to a definition beside a schema becomes one to a component; `Input` marks what is sent, where a default need not be. */
const renamed = (schema: unknown, suffix: string): Json =>
  JSON.parse(
    JSON.stringify(schema, (key, value: unknown) =>
      key === '$ref' && typeof value === 'string' ? value.replace('#/$defs/', prefix) + suffix : value,
    ),
  ) as Json;

const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Allows null wherever a field may be left out, as bodies are read (merge-patch.ts). */
function withNulls(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withNulls);
  if (!isJson(schema)) return schema;
  const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, withNulls(value)]));
  if (!isJson(inner['properties'])) return inner;
  const required = new Set(Array.isArray(inner['required']) ? inner['required'] : []);
  const members = Object.entries(inner['properties']).map(([name, member]) => [
    name,
    required.has(name) || !isJson(member) || allowsNull(member) ? member : orNull(member),
  ]);
  return { ...inner, properties: Object.fromEntries(members) as Json };
}

const allowsNull = ({ type, anyOf }: Json): boolean =>
  type === 'null' || (Array.isArray(anyOf) && anyOf.some((one) => isJson(one) && one['type'] === 'null'));

function orNull({ description, default: otherwise, ...schema }: Json): Json {
  // that of an object only says that its members have theirs, and generators stumble over it
  const kept = {
    ...(description === undefined ? {} : { description }),
    ...(otherwise === undefined || isJson(otherwise) ? {} : { default: otherwise }),
  };
  return { ...kept, anyOf: [schema, { type: 'null' }] };
}

export interface Schemas {
  /** a reference to the component that a type became; its name is that of component-names.ts or else this one */
  answer: (type: z.ZodType, name: string) => Json;
  /** the same of what is sent; `nulls`: null may stand for what is left out */
  body: (type: z.ZodType, name: string, nulls: boolean) => Json;
  /** all components, by name */
  components: () => Json;
}

/** A schema that is no component, for what is small. */
export function inline(type: z.ZodType): Json {
  const { $schema: _dialect, ...schema } = z.toJSONSchema(type, { io: 'input', unrepresentable: 'any' }) as Json;
  return schema;
}

/** Creates the components of one document. Throws when two different schemas have one name. */
export function createSchemas(): Schemas {
  const found = new Map<string, Json>();
  const add = (name: string, schema: Json): Json => {
    const known = found.get(name);
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(schema))
      throw new Error(`two schemas are called ${name}`);
    found.set(name, schema);
    return { $ref: prefix + name };
  };
  const register = (type: z.ZodType, io: 'input' | 'output', name: string, nulls: boolean): Json => {
    const made = z.toJSONSchema(type, { io, unrepresentable: 'any' }) as Json;
    const { $schema: _dialect, $defs = {}, ...root } = nulls ? (withNulls(made) as Json) : made;
    const suffix = io === 'input' ? 'Input' : '';
    for (const [id, schema] of Object.entries($defs as Json)) add(id + suffix, renamed(schema, suffix));
    const schema = renamed(root, suffix);
    return '$ref' in schema ? schema : add(name, schema);
  };
  return {
    answer: (type, name) => register(type, 'output', name, false),
    body: (type, name, nulls) => register(type, 'input', name, nulls),
    components: () => Object.fromEntries([...found].toSorted(([a], [b]) => a.localeCompare(b, 'en'))),
  };
}
