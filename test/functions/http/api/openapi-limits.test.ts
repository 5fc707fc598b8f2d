import { expect, test } from 'vitest';
import { description } from '../../../../functions/http/api/description.ts';

interface Answer {
  content?: Record<string, unknown>;
  headers?: Record<string, { $ref: string }>;
}
const document = description() as unknown as {
  paths: Record<string, Record<string, { 'x-role': string; responses: Record<string, Answer> }>>;
  components: { headers: Record<string, unknown> };
};
const operations = Object.values(document.paths).flatMap((path) => Object.entries(path));

test('every route that asks for a key says what limits answer, and the fields that tell what is left', () => {
  expect(operations.length).toBeGreaterThan(30);
  for (const [method, { 'x-role': role, responses }] of operations) {
    const refusals = ['408', '413', '415'].filter((status) => status in responses);
    expect(refusals).toEqual(method === 'get' ? [] : ['408', '413', '415']);
    expect('429' in responses).toBe(role !== 'open');
    for (const [status, { headers = {}, content = {} }] of Object.entries(responses)) {
      if (['408', '413', '415', '429'].includes(status))
        expect(Object.keys(content)).toContain('application/problem+json');
      const names = Object.keys(headers);
      if (role !== 'open') expect(names).toEqual(expect.arrayContaining(['RateLimit', 'RateLimit-Policy']));
      if (status === '429') expect(names).toContain('Retry-After');
      for (const { $ref } of Object.values(headers))
        expect(document.components.headers).toHaveProperty([$ref.replace('#/components/headers/', '')]);
    }
  }
});
