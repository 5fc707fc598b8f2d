/** Values that fit a JSON schema, as far as the API's document uses the language. */
import type { Random } from '../random.ts';

type Schema = Record<string, unknown>;

const words = ['a', 'dark', 'light', 'digits', 'Käfer', '猫', 'seed-1', 'scan 1.png', '0a', 'head', 'resnet-small'];
/** texts for the patterns that the API asks for */
const shaped = ['resnet-small', 'ff', 'digits', '2026-01-01T00:00:00Z', 'a'.repeat(32), '7'];

function textOf(schema: Schema, random: Random): string {
  if (Array.isArray(schema['enum'])) return random.pick(schema['enum'] as string[]);
  if (schema['format'] === 'date-time') return '2026-01-01T00:00:00Z';
  if (typeof schema['pattern'] === 'string') {
    const pattern = new RegExp(schema['pattern'], 'u');
    return shaped.find((text) => pattern.test(text)) ?? 'x';
  }
  return random.pick(words);
}

function numberOf(schema: Schema, random: Random): number {
  const least = Number(schema['minimum'] ?? schema['exclusiveMinimum'] ?? 0);
  const most = Math.min(Number(schema['maximum'] ?? 100), least + 100);
  const value = random.between(Math.ceil(least), Math.max(Math.ceil(least), Math.floor(most)));
  return schema['type'] === 'integer' ? value : Math.min(most, value + (random.next() < 0.5 ? 0 : random.next()));
}

function objectOf(schema: Schema, random: Random): Record<string, unknown> {
  const required = new Set(Array.isArray(schema['required']) ? (schema['required'] as string[]) : []);
  const properties = Object.entries((schema['properties'] ?? {}) as Record<string, Schema>);
  const chosen = properties.filter(([name]) => required.has(name) || random.next() < 0.4);
  const further = schema['additionalProperties'];
  const free =
    typeof further === 'object' && further !== null && properties.length === 0
      ? [[random.pick(words), further as Schema] as const]
      : [];
  return Object.fromEntries([...chosen, ...free].map(([name, inner]) => [name, sampleOf(inner, random)]));
}

/** One value of a schema. */
export function sampleOf(schema: Schema, random: Random): unknown {
  const choices = (schema['anyOf'] ?? schema['oneOf']) as Schema[] | undefined;
  if (choices !== undefined) return sampleOf(random.pick(choices), random);
  if ('const' in schema) return schema['const'];
  const all = schema['allOf'] as Schema[] | undefined;
  if (all !== undefined) return sampleOf({ ...schema, ...Object.assign({}, ...all), allOf: undefined }, random);
  switch (schema['type']) {
    case 'object':
      return objectOf(schema, random);
    case 'array':
      return Array.from(
        { length: random.between(Number(schema['minItems'] ?? 0), Number(schema['minItems'] ?? 0) + 2) },
        () => sampleOf((schema['items'] ?? {}) as Schema, random),
      );
    case 'integer':
    case 'number':
      return numberOf(schema, random);
    case 'boolean':
      return random.next() < 0.5;
    case 'null':
      return null;
    default:
      return textOf(schema, random);
  }
}
