/**
 * Annotations of a detector's pictures, each sent in the three ways that there are: in a file beside the picture, by review,
 * and with the request for an upload's address. Expected: outcome and reason of the file; status, code and target of the others.
 */
import { createBackend } from '../functions/http/backend.ts';
import type { HostileCase } from './case.ts';
import { project, tile } from './platform.ts';
import { type Stages, stagesOf } from './stages.ts';
import { upload } from './uploads.ts';

export interface Annotated {
  /** the JSON, or what stands where JSON should */
  text: string;
  way: 'file' | 'review' | 'address';
}

const box = { class: 'cat', x: 1, y: 2, width: 3, height: 4 };
const boxes = (...given: object[]): string => JSON.stringify({ boxes: given.map((one) => ({ ...box, ...one })) });
const raw = (field: string, value: string): string =>
  `{"boxes":[${JSON.stringify({ ...box, [field]: 0 }).replace(`"${field}":0`, `"${field}":${value}`)}]}`;
const grid = (count: number): string =>
  boxes(...Array.from({ length: count }, (_, i) => ({ x: (i % 500) / 100, y: Math.floor(i / 500) / 100 })));

/** What no annotation may be, and where it is wrong. */
const refused = (target: string) => ({
  file: 'quarantined bad-annotation',
  review: `400 invalid-body annotation.${target}`,
  address: `400 invalid-body files.0.annotation.${target}`,
});
const noJson = {
  file: 'quarantined bad-annotation',
  review: '400 invalid-json body',
  address: '400 invalid-json body',
};
/** bodies are looked through for it before anything else */
const prototype = {
  file: 'quarantined bad-annotation',
  review: '400 invalid-body __proto__',
  address: '400 invalid-body __proto__',
};
/** one that is sound: no name of a file can tell it */
const noName = '400 invalid-body files.0.annotation';
const taken = { file: 'accepted', review: '200', address: noName };
const unknown = { file: 'unlabelled unknown-class', review: '400 unknown-class annotation', address: noName };
const outside = { file: 'unlabelled outside-picture', review: '400 invalid-body annotation', address: noName };

/** Pictures have 8 x 8 pixels; the classes are cat and dog. */
const cases: [name: string, text: string, expected: Record<Annotated['way'], string>][] = [
  ['one box', boxes({}), taken],
  ['no boxes', '{"boxes":[]}', taken],
  ['a crowd', boxes({ crowd: true }), taken],
  ['2,000 boxes', grid(2000), taken],
  ['the whole picture', boxes({ x: 0, y: 0, width: 8, height: 8 }), taken],
  ['a pixel over the edge', boxes({ x: -1, y: -1, width: 10, height: 10 }), taken],
  ['a place of a thousand decimals', raw('x', `1.${'3'.repeat(1000)}`), taken],
  ['minus zero', raw('x', '-0'), taken],
  ['2,001 boxes', grid(2001), refused('boxes')],
  ['not-a-number', raw('x', 'NaN'), noJson],
  ['Infinity', raw('width', 'Infinity'), noJson],
  ['a number beyond numbers', raw('x', '1e999'), refused('boxes.0.x')],
  ['a huge number', raw('x', '1e300'), refused('boxes.0.x')],
  ['a huge width', raw('width', '1e15'), refused('boxes.0.width')],
  ['a huge number below zero', raw('y', '-1e15'), refused('boxes.0.y')],
  ['a width below zero', raw('width', '-3'), refused('boxes.0.width')],
  ['no width', raw('width', '0'), refused('boxes.0.width')],
  ['no height', raw('height', '0'), refused('boxes.0.height')],
  ['a width that rounds to none', raw('width', '0.004'), refused('boxes.0.width')],
  ['the least number', raw('height', '5e-324'), refused('boxes.0.height')],
  ['a number in quotes', raw('x', '"1"'), refused('boxes.0.x')],
  ['null', raw('x', 'null'), refused('boxes.0.x')],
  ['a list as a number', raw('x', '[1]'), refused('boxes.0.x')],
  ['a place left of the picture', boxes({ x: -2 }), outside],
  ['a place right of the picture', boxes({ x: 8 }), outside],
  ['a place below the picture', boxes({ y: 7 }), outside],
  ['a place far away', boxes({ x: 99_999 }), outside],
  ['a box twice', boxes({}, {}), refused('boxes')],
  ['a box twice, but for what is rounded', boxes({}, { x: 1.001 }), refused('boxes')],
  ['a class that the project lacks', boxes({ class: 'cow' }), unknown],
  ['a class in another letter case', boxes({ class: 'Cat' }), unknown],
  ['a class of a look-alike letter', boxes({ class: 'с\u0430t' }), unknown],
  ['a class with spaces around', boxes({ class: ' cat ' }), taken],
  ['an empty class', boxes({ class: '' }), refused('boxes.0.class')],
  ['a class that is a prototype', boxes({ class: '__proto__' }), refused('boxes.0.class')],
  ['a class that is a way up', boxes({ class: '../cat' }), refused('boxes.0.class')],
  ['a class with NUL', boxes({ class: 'cat\0' }), refused('boxes.0.class')],
  ['a class of 101 characters', boxes({ class: 'c'.repeat(101) }), refused('boxes.0.class')],
  ['a class that is a number', boxes({ class: 7 }), refused('boxes.0.class')],
  ['a field that is none', boxes({ angle: 30 }), refused('boxes.0')],
  ['corners instead of sizes', '{"boxes":[{"class":"cat","x1":1,"y1":1,"x2":3,"y2":3}]}', refused('boxes.0.x')],
  ['a box that is a list', '{"boxes":[["cat",1,2,3,4]]}', refused('boxes.0')],
  ['boxes that are an object', '{"boxes":{"length":1,"0":{}}}', refused('boxes')],
  ['boxes that are null', '{"boxes":null}', refused('boxes')],
  ['a prototype instead of boxes', '{"__proto__":{"boxes":[]}}', prototype],
  ['half of it', boxes({}).slice(0, 30), noJson],
];

/** Every case, each of the ways. */
export const annotations: HostileCase<Annotated>[] = cases.flatMap(([name, text, expected]) =>
  (['file', 'review', 'address'] as const).map((way) => ({
    ...{ name: `${name}, by ${way}`, input: { text, way }, expected: expected[way] },
  })),
);

export interface Detectors {
  backend: ReturnType<typeof createBackend>;
  stages: Stages;
  pictures: number;
}

/** A world with a project of detectors, at its routes and its queues. */
export async function detectors(): Promise<Detectors> {
  const backend = createBackend();
  const made = await backend.send('PUT', `/v1/projects/${project}`, {
    body: { task: 'detection', classes: ['cat', 'dog'] },
  });
  if (made.status !== 201) throw new Error(`the project was not made: ${made.text}`);
  return { backend, stages: stagesOf(backend.world), pictures: 0 };
}

/** Sends the annotation of a new picture one of the ways. */
export async function annotate(detectors: Detectors, { text, way }: Annotated): Promise<string> {
  const { backend, stages } = detectors;
  const number = detectors.pictures++;
  const blob = `${project}/${number}.png`;
  const path = `/v1/projects/${project}`;
  const json = { 'content-type': 'application/json' };
  if (way === 'address') {
    const body = `{"files":[{"name":"a.png","contentType":"image/png","annotation":${text}}]}`;
    return said(await backend.send('POST', `${path}/upload-urls`, { body, headers: json }));
  }
  const world = { world: backend.world, stages };
  await upload(world, { blob, bytes: await tile(number) });
  const sample = backend.world.all('uploads').find((one) => one.blob === blob)?.sample ?? '';
  if (way === 'file') {
    const outcome = await upload(world, { blob: `${blob}.json`, bytes: Buffer.from(text) });
    if (!outcome.startsWith('accepted')) return outcome;
    const kept = backend.world.all('samples').find(({ id }) => id === sample)?.annotation;
    return kept === null || kept === undefined ? 'accepted, and not kept' : 'accepted';
  }
  return said(await backend.send('PUT', `${path}/samples/${sample}/annotation`, { body: text, headers: json }));
}

function said({ status, json }: Awaited<ReturnType<Detectors['backend']['send']>>): string {
  const { error } = (json ?? {}) as { error?: { code: string; target?: string } };
  return error === undefined ? `${status}` : `${status} ${error.code} ${error.target ?? ''}`;
}
