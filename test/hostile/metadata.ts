/** Metadata and content types of uploads without a label in their name. Expected: outcome, and label or reason. */
import type { HostileCase } from './case.ts';
import type { Upload } from './uploads.ts';

const none = 'unlabelled';
const bad = 'unlabelled bad-label';

const labels: [name: string, metadata: Record<string, string>, expected: string][] = [
  ['a label', { label: 'dark' }, 'accepted dark'],
  ['a label in capitals of its name', { LABEL: 'dark' }, 'accepted dark'],
  ['an encoded label', { label: 'K%C3%A4fer' }, 'accepted Käfer'],
  ['an encoded label that is not composed', { label: 'Ka%CC%88fer' }, 'accepted Käfer'],
  ['a label encoded twice', { label: '%252e%252e' }, 'accepted %2e%2e'],
  ['a percent sign alone', { label: '100%' }, 'accepted 100%'],
  ['two labels, as two headers of one name are joined', { label: 'dark, light' }, 'accepted dark, light'],
  ['a label under a name of other letter case', { LABEL: 'dark' }, 'accepted dark'],
  ['a word of JavaScript', { label: 'toString' }, 'accepted toString'],
  ['an encoded way up', { label: '%2e%2e' }, bad],
  ['an encoded slash', { label: 'a%2Fb' }, bad],
  ['an encoded backslash', { label: 'a%5Cb' }, bad],
  ['an encoded NUL', { label: 'a%00' }, bad],
  ['an encoded line break', { label: 'a%0D%0Ab' }, bad],
  ['an overlong slash', { label: '%c0%af' }, 'accepted %c0%af'],
  ['a surrogate as bytes', { label: '%ed%a0%80' }, 'accepted %ed%a0%80'],
  ['no character', { label: '%EF%BF%BE' }, bad],
  ['a prototype', { label: '__proto__' }, bad],
  ['nothing', { label: '' }, bad],
  ['spaces', { label: '   ' }, bad],
  ['a space at its end', { label: 'dark ' }, 'accepted dark'],
  ['8,000 characters', { label: 'x'.repeat(8000) }, bad],
  ['8,000 characters that are 80 encoded', { label: '%41'.repeat(80) }, `accepted ${'A'.repeat(80)}`],
  ['other metadata', { project: 'elsewhere', outcome: 'accepted', split: 'test' }, none],
  ['a prototype as its name', JSON.parse('{"__proto__":"dark"}') as Record<string, string>, none],
];

const types: [contentType: string, expected: string][] = [
  ['application/octet-stream', none],
  ['image/png; charset=utf-16', none],
  ['IMAGE/PNG', none],
  ['image/x-png', none],
  ['', none],
  ['image/jpeg', none],
  ['image/svg+xml', none],
  ['text/html', none],
  ['image/png, text/html', none],
  ['image/png\u0000', none],
  ['x'.repeat(5000), none],
  ['multipart/form-data; boundary=x', none],
];

export const metadata: HostileCase<Upload>[] = [
  ...labels.map(([name, given, expected], i) => ({
    name,
    input: { blob: `digits/m${i}.png`, metadata: given },
    expected,
  })),
  ...types.map(([contentType, expected], i) => ({
    name: `the type ${JSON.stringify(contentType.slice(0, 40))}`,
    input: { blob: `digits/t${i}.png`, contentType },
    expected,
  })),
];
