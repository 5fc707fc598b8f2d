/** What may be wrong with the body of a request. */
import { gzipSync } from 'node:zlib';
import { type Draft, oddText, oddValue, type Wrong } from './draft.ts';

/** Every place in a value where another one can stand. */
function placesIn(value: unknown, places: { holder: object; key: string }[] = []): { holder: object; key: string }[] {
  if (typeof value !== 'object' || value === null) return places;
  for (const key of Object.keys(value)) {
    places.push({ holder: value, key });
    placesIn((value as Record<string, unknown>)[key], places);
  }
  return places;
}

function editJson(draft: Draft, edit: (root: { value: unknown }) => void): void {
  // what is deep or huge already is wrong enough
  if (draft.body.length > 20_000) return;
  let value: unknown;
  try {
    value = JSON.parse(draft.body.toString('utf8'));
  } catch {
    value = {};
  }
  const root = { value };
  edit(root);
  draft.body = Buffer.from(JSON.stringify(root.value) ?? '');
}

const deep = (levels: number): string => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
const swapped = (text: string): Buffer => Buffer.from(text, 'utf16le').swap16();

export const inBody: Wrong[] = [
  [
    'a value of another type',
    (d, random) =>
      editJson(d, (root) => {
        const places = [{ holder: root, key: 'value' }, ...placesIn(root.value)];
        const { holder, key } = random.pick(places);
        (holder as Record<string, unknown>)[key] = oddValue(random);
      }),
  ],
  [
    'an unknown field',
    (d, random) =>
      editJson(d, (root) => {
        const holders = [root.value, ...placesIn(root.value).map(({ holder, key }) => Reflect.get(holder, key))];
        const objects = holders.filter((h) => typeof h === 'object' && h !== null);
        if (objects.length > 0) Reflect.set(random.pick(objects) as object, oddText(random), oddValue(random));
      }),
  ],
  [
    'a missing field',
    (d, random) =>
      editJson(d, (root) => {
        const places = placesIn(root.value);
        if (places.length === 0) return;
        const { holder, key } = random.pick(places);
        Reflect.deleteProperty(holder, key);
      }),
  ],
  ['a field name of 50,000 characters', (d) => editJson(d, (r) => Reflect.set(Object(r.value), 'n'.repeat(50_000), 1))],
  ['a body beyond the limit', (d) => void (d.body = Buffer.alloc(600 * 1024, 0x20))],
  ['deep JSON', (d, random) => void (d.body = Buffer.from(deep(random.pick([100, 5000, 80_000]))))],
  ['deep arrays', (d) => void (d.body = Buffer.from('['.repeat(100_000)))],
  ['half a body', (d) => void (d.body = d.body.subarray(0, d.body.length >> 1))],
  [
    'a flipped bit',
    (d, random) => {
      d.body = Buffer.from(d.body);
      if (d.body.length > 0) {
        const at = random.between(0, d.body.length - 1);
        d.body[at] = (d.body[at] ?? 0) ^ (1 << random.between(0, 7));
      }
    },
  ],
  [
    'random bytes',
    (d, random) => void (d.body = Buffer.from(Array.from({ length: 300 }, () => random.between(0, 255)))),
  ],
  [
    'invalid UTF-8',
    (d) => void (d.body = Buffer.concat([Buffer.from('{"reason":"'), Buffer.of(0xff, 0xc0), Buffer.from('"}')])),
  ],
  ['a lone surrogate', (d) => void (d.body = Buffer.from('{"reason":"\\ud800","label":"\\udfff"}'))],
  ['a byte order mark', (d) => void (d.body = Buffer.concat([Buffer.of(0xef, 0xbb, 0xbf), d.body]))],
  ['UTF-16', (d) => void (d.body = Buffer.from(d.body.toString('utf8'), 'utf16le'))],
  ['UTF-16 the other way round', (d) => void (d.body = swapped(d.body.toString('utf8')))],
  [
    'gzip',
    (d) => {
      d.body = gzipSync(d.body);
      d.headers.push(['content-encoding', 'gzip']);
    },
  ],
  [
    'a bomb of gzip',
    (d) => {
      d.body = gzipSync(Buffer.alloc(20_000_000));
      d.headers.push(['content-encoding', 'gzip']);
    },
  ],
  ['a field twice', (d) => void (d.body = Buffer.from('{"seed":1,"seed":"x","seed":2}'))],
  [
    'a prototype',
    (d) => void (d.body = Buffer.from('{"__proto__":{"role":"operator"},"constructor":{"prototype":{}}}')),
  ],
  [
    'numbers beyond numbers',
    (d) => void (d.body = Buffer.from('{"seed":1e999,"model":-0,"version":1e-400,"limit":1E+2}')),
  ],
  ['something behind the JSON', (d) => void (d.body = Buffer.concat([d.body, Buffer.from('\n{}')]))],
  ['comments', (d) => void (d.body = Buffer.from('/* a */ {"seed": 1, // b\n}'))],
  ['nothing', (d) => void (d.body = Buffer.alloc(0))],
  ['white space', (d) => void (d.body = Buffer.from(' \n\t'))],
];
