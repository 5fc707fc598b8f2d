/** The OpenAPI document as clients and generators of clients need it. */
import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, test } from 'vitest';
import { api } from '../../../../functions/http/api/api.ts';
import { description } from '../../../../functions/http/api/description.ts';
import { classification } from '../../../../shared/task/classification/classification.ts';
import { kinds } from '../../../../shared/task/task.ts';
import { settingsOf } from '../../../../shared/project/settings.ts';
import { dereferenced } from '../../../e2e/contract.ts';

interface Content {
  [type: string]: { schema: Record<string, unknown> };
}
interface Operation {
  operationId: string;
  tags: string[];
  parameters: {
    $ref?: string;
    name: string;
    in: string;
    description?: string;
    example?: string;
    schema: { pattern?: string };
  }[];
  requestBody?: { required: boolean; content: Content };
  responses: Record<string, { headers: object; content: Content }>;
}
const document = description() as unknown as {
  servers: object[];
  tags: { name: string; description: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Record<string, unknown>> };
};
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, ...operation })),
);
const { schemas } = document.components;
const isJson = (type: string): boolean => type.endsWith('json');

test('it is valid OpenAPI 3.1, and every reference leads to something', async () => {
  const result = await new Validator().validate(structuredClone(document) as never);
  expect(result.errors ?? []).toEqual([]);
  expect(result.valid).toBe(true);
  expect(() => dereferenced(document as never)).not.toThrow();
  expect(operations).toHaveLength(api.routes.length);
});

test('what is sent and answered are components with names', () => {
  expect(Object.keys(schemas)).toEqual(
    expect.arrayContaining([
      'Project',
      'ProjectSettings',
      'Upload',
      'Sample',
      'Version',
      'Training',
      'Model',
      'Endpoint',
      'Score',
      'Problem',
      'Key',
    ]),
  );
  for (const { operationId, requestBody, responses } of operations) {
    for (const { content = {} } of [requestBody, ...Object.values(responses)].filter((one) => one !== undefined))
      for (const [type, { schema }] of Object.entries(content))
        if (isJson(type)) expect(Object.keys(schema), operationId).toEqual(['$ref']);
  }
  for (const what of ['Project', 'Version', 'Training', 'Model']) {
    const { properties } = schemas[`${what}sList`] as { properties: { value: { items: object } } };
    expect(properties.value.items).toEqual({ $ref: `#/components/schemas/${what}Summary` });
  }
  // one place for each shape: a training inside of another answer is a reference as well
  expect(JSON.stringify(schemas['Training']?.['properties'])).toContain('#/components/schemas/Verdict');
});

test('names in paths are described with a pattern and an example; every operation has a tag that is described', () => {
  for (const { operationId, path, parameters, tags } of operations) {
    const named = parameters.filter((one) => one.in === 'path');
    expect(
      named.map(({ name }) => name),
      operationId,
    ).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
    for (const { name, description: about, example = '', schema } of named) {
      expect(about, name).toBeTruthy();
      expect(example, name).toMatch(new RegExp(schema.pattern ?? '^$', 'u'));
    }
    expect(document.tags.map(({ name }) => name)).toEqual(expect.arrayContaining(tags));
    expect(tags).toHaveLength(1);
  }
  expect(document.tags.every(({ description: about }) => about !== '')).toBe(true);
  expect(document.servers).toHaveLength(1);
});

test('a body is required where a request without one is refused, and null stands for what may be left out', () => {
  const bodyOf = (id: string) => operations.find(({ operationId }) => operationId === id)?.requestBody;
  expect(bodyOf('projects-put')?.required).toBe(true);
  expect(bodyOf('upload-urls-post')?.required).toBe(true);
  expect(bodyOf('dead-letters-replay')?.required).toBe(false);
  expect(bodyOf('score-post')?.required).toBe(true);
  expect(Object.keys(bodyOf('projects-patch')?.content ?? {})).toEqual([
    'application/merge-patch+json',
    'application/json',
  ]);
  const { oneOf } = schemas['ProjectSettingsInput'] as { oneOf: { properties: Record<string, object> }[] };
  expect(oneOf).toHaveLength(kinds.size);
  for (const { properties } of oneOf) {
    expect(Object.keys(properties)).toEqual(Object.keys(settingsOf(classification).shape));
    const optional = Object.entries(properties).filter(([name, one]) => name !== 'task' || 'default' in one);
    for (const [name, member] of optional) expect(JSON.stringify(member), name).toContain('"null"');
  }
});

test('patterns are regular expressions of every common language: no Unicode classes', () => {
  expect(JSON.stringify(document)).not.toContain(String.raw`\\p{`);
});
