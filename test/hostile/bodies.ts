/** JSON bodies of every route that takes one. Expected: status, code of the problem, and the field that it names. */
import type { HostileCase } from './case.ts';

export interface Body {
  operationId: string;
  body: string | Buffer;
}

const body = (operationId: string, name: string, content: unknown, expected: string): HostileCase<Body> => ({
  name: `${operationId}: ${name}`,
  input: {
    operationId,
    body: typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content),
  },
  expected,
});

const deep = (open: string, close: string, levels: number): string => `${open.repeat(levels)}1${close.repeat(levels)}`;
const bytes = (...parts: (string | number)[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.of(part))));

/** Wrong for every route alike. */
const anywhere: [string, string | Buffer, string][] = [
  ['half of an object', '{"seed":', '400 invalid-json body'],
  ['not JSON', 'seed=1', '400 invalid-json body'],
  ['single quotes', "{'seed':1}", '400 invalid-json body'],
  ['a comma too many', '{"seed":1,}', '400 invalid-json body'],
  ['a comment', '{/* one */"seed":1}', '400 invalid-json body'],
  ['NaN', '{"seed":NaN}', '400 invalid-json body'],
  ['two documents', '{}\n{}', '400 invalid-json body'],
  ['UTF-16', Buffer.from('{"seed":1}', 'utf16le'), '400 invalid-json body'],
  ['bytes that are no UTF-8', bytes('{"reason":"', 0xff, '"}'), '400 invalid-json body'],
  ['an overlong slash', bytes('{"reason":"', 0xc0, 0xaf, '"}'), '400 invalid-json body'],
  ['a surrogate as bytes', bytes('{"reason":"', 0xed, 0xa0, 0x80, '"}'), '400 invalid-json body'],
  ['NUL bytes', Buffer.alloc(100), '400 invalid-json body'],
  ['white space alone', ' \n\t ', '400 invalid-json body'],
  ['a hundred thousand open brackets', '['.repeat(100_000), '400 invalid-json body'],
  ['more than the limit', Buffer.alloc(600 * 1024, 0x20), '413 body-too-large'],
  ['deep objects', deep('{"a":', '}', 60_000), '400 invalid-body a'],
  ['an array', '[]', '400 invalid-body body'],
  ['a text', '"seed"', '400 invalid-body body'],
  ['a number', '7', '400 invalid-body body'],
  ['null', 'null', '400 invalid-body body'],
  ['an unknown field', '{"colour":"red"}', '400 invalid-body colour'],
  ['a field named like a path', '{"../..":1}', '400 invalid-body ../..'],
  ['a field that is a method of objects', '{"constructor":{"prototype":{}}}', '400 invalid-body constructor'],
  ['a field name of a hundred thousand', `{"${'n'.repeat(100_000)}":1}`, `400 invalid-body ${'n'.repeat(200)}`],
];

const projects = (content: unknown, field: string): [unknown, string] => [content, `400 invalid-body ${field}`];
const settings: [string, ...[unknown, string]][] = [
  ['one class', ...projects({ classes: ['a'] }, 'classes')],
  ['a class twice', ...projects({ classes: ['a', 'a'] }, 'classes')],
  ['a class that is empty', ...projects({ classes: ['a', ''] }, 'classes.1')],
  ['a class with a slash', ...projects({ classes: ['a/b', 'c'] }, 'classes.0')],
  ['a class that is a way up', ...projects({ classes: ['..', 'c'] }, 'classes.0')],
  ['a class of control characters', ...projects({ classes: ['a\u0000', 'c'] }, 'classes.0')],
  ['a class of a lone surrogate', ...projects('{"classes":["\\ud800","c"]}', 'classes.0')],
  ['a class that is no character', ...projects({ classes: ['\ufffe', 'c'] }, 'classes.0')],
  ['a class that is a prototype', ...projects({ classes: ['__proto__', 'c'] }, 'classes.0')],
  ['too many classes', ...projects({ classes: Array.from({ length: 1001 }, (_, i) => `c${i}`) }, 'classes')],
  ['classes that are a text', ...projects({ classes: 'abc' }, 'classes')],
  ['a picture of no width', ...projects({ image: { width: 0, height: 8, channels: 1 } }, 'image.width')],
  ['a picture that is too large', ...projects({ image: { width: 9, height: 1e6, channels: 1 } }, 'image.height')],
  ['two channels', ...projects({ image: { width: 8, height: 8, channels: 2 } }, 'image.channels')],
  ['a trainer that is a path', ...projects({ trainer: { name: '../trainer' } }, 'trainer.name')],
  ['a trainer that is a command', ...projects({ trainer: { name: 'a; rm -rf /' } }, 'trainer.name')],
  ['a parameter that is an object', ...projects({ trainer: { parameters: { a: {} } } }, 'trainer.parameters.a')],
  ['a time limit of nothing', ...projects({ trainer: { timeoutSeconds: 0 } }, 'trainer.timeoutSeconds')],
  ['a number beyond numbers', ...projects('{"trainer":{"timeoutSeconds":1e999}}', 'trainer.timeoutSeconds')],
  ['more than everything', ...projects({ gate: { minimum: 1.01 } }, 'gate.minimum')],
  ['a minus', ...projects({ retrain: { maxPerDay: -1 } }, 'retrain.maxPerDay')],
  ['half a training a day', ...projects({ retrain: { maxPerDay: 0.5 } }, 'retrain.maxPerDay')],
  ['the whole traffic as a trial', ...projects({ deploy: { canary: { percent: 100 } } }, 'deploy.canary.percent')],
  ['an unknown field inside', ...projects({ commit: { maxwaitSeconds: 1 } }, 'commit')],
  ['no samples to train with', ...projects({ split: { testPercent: 90 } }, 'split.testPercent')],
];

const png = 'image/png';
const urls: [string, unknown, string][] = [
  ['no file', { files: [] }, '400 invalid-body files'],
  [
    'too many files',
    { files: Array.from({ length: 1001 }, () => ({ name: 'a', contentType: png })) },
    '400 invalid-body files',
  ],
  ['a name that is a path', { files: [{ name: '../a.png', contentType: png }] }, '400 invalid-body files.0.name'],
  ['a name with a backslash', { files: [{ name: '..\\a.png', contentType: png }] }, '400 invalid-body files.0.name'],
  ['a name that is a way up', { files: [{ name: '..', contentType: png }] }, '400 invalid-body files.0.name'],
  ['a name with NUL', { files: [{ name: 'a\0.png', contentType: png }] }, '400 invalid-body files.0.name'],
  [
    'a name that is no character',
    { files: [{ name: 'a\ufffe.png', contentType: png }] },
    '400 invalid-body files.0.name',
  ],
  [
    'a name of 201 characters',
    { files: [{ name: 'x'.repeat(201), contentType: png }] },
    '400 invalid-body files.0.name',
  ],
  [
    'a label that is a way up',
    { files: [{ name: 'a', label: '..', contentType: png }] },
    '400 invalid-body files.0.label',
  ],
  ['another type', { files: [{ name: 'a', contentType: 'image/svg+xml' }] }, '400 invalid-body files.0.contentType'],
  [
    'a type with a line break',
    { files: [{ name: 'a', contentType: 'image/png\r\nx: y' }] },
    '400 invalid-body files.0.contentType',
  ],
  ['a name that only looks like a path', { files: [{ name: '%2e%2e%2fa.png', contentType: png }] }, '200'],
];

const trainings: [string, unknown, string][] = [
  ['a seed below zero', { seed: -1 }, '400 invalid-body seed'],
  ['a seed of 2^32', { seed: 2 ** 32 }, '400 invalid-body seed'],
  ['a seed as text', { seed: '1' }, '400 invalid-body seed'],
  ['a version that is empty', { version: '' }, '400 invalid-body version'],
  ['a version that is a path', { version: '../head' }, '400 invalid-body version'],
  ["a version that is nobody's", { version: 'f'.repeat(64) }, '404 unknown-version'],
  ['a trainer without a name', { trainer: { name: '' } }, '400 invalid-body trainer.name'],
  ['a trainer that is a command', { trainer: { name: '$(reboot)' } }, '400 invalid-body trainer.name'],
  ['a reason of 501 characters', { reason: 'x'.repeat(501) }, '400 invalid-body reason'],
  ['a parameter that is a list', { trainer: { parameters: { a: [1] } } }, '400 invalid-body trainer.parameters.a'],
];

const others: [string, string, unknown, string][] = [
  ['samples-label', 'no label', {}, '400 invalid-body label'],
  ['samples-label', 'a label with a slash', { label: 'a/b' }, '400 invalid-body label'],
  ['samples-label', 'a label that is no character', { label: 'a\uffff' }, '400 invalid-body label'],
  ['samples-annotation', 'an annotation of another form', { boxes: [] }, '400 invalid-body annotation.label'],
  ['samples-annotation', 'a label that is a path', { label: '../b' }, '400 invalid-body annotation.label'],
  ['endpoint-deploy', 'model zero', { model: 0 }, '400 invalid-body model'],
  ['endpoint-deploy', 'a model beyond all', { model: 2 ** 53 - 1 }, '404 unknown-model number'],
  ['endpoint-deploy', 'half a model', { model: 1.5 }, '400 invalid-body model'],
  ['scrub-post', 'a partition that is none', { from: 'zz' }, '400 invalid-body from'],
  ['scrub-post', 'no samples', { limit: 0 }, '400 invalid-body limit'],
  ['dead-letters-replay', 'an id that is a path', { id: '../../x' }, '400 invalid-body id'],
  ['dead-letters-replay', 'an id that is empty', { id: '' }, '400 invalid-body id'],
  ['dead-letters-dismiss', 'no reason', { id: 'x' }, '400 invalid-body reason'],
  ['dead-letters-dismiss', 'an id that is a path', { id: '../../x', reason: 'x' }, '400 invalid-body id'],
  ['dead-letters-replay', 'an id of 101 characters', { id: 'x'.repeat(101) }, '400 invalid-body id'],
];

export const bodies: HostileCase<Body>[] = [
  ...anywhere.map(([name, content, expected]) => body('trainings-post', name, content, expected)),
  ...settings.map(([name, content, expected]) => body('projects-put', name, content, expected)),
  ...urls.map(([name, content, expected]) => body('upload-urls-post', name, content, expected)),
  ...trainings.map(([name, content, expected]) => body('trainings-post', name, content, expected)),
  ...others.map(([operationId, name, content, expected]) => body(operationId, name, content, expected)),
];
