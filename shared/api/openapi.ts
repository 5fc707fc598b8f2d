/** OpenAPI 3.1 from the table of routes. */
import * as z from 'zod';
import { limitHeaders, withLimits } from './limit-answers.ts';
import { parametersOf, pathParameters } from './parameters.ts';
import { problemBody } from './problem.ts';

interface DescribedRoute {
  name: string;
  method: string;
  path: string;
  role: string;
  scope: string;
  summary: string;
  body?: z.ZodType;
  query?: z.ZodType;
  takes?: 'image';
  answers: Record<number, z.ZodType | FileKind>;
  takesIfMatch?: 'optional' | 'required';
}

type Json = Record<string, unknown>;

const schemaOf = (type: z.ZodType, io: 'input' | 'output'): Json => {
  const { $schema: _dialect, ...schema } = z.toJSONSchema(type, { io, unrepresentable: 'any' }) as Json;
  return schema;
};

const problem = {
  description: 'What failed, why, and what to do next',
  content: { 'application/problem+json': { schema: schemaOf(problemBody, 'output') } },
};

const files = {
  onnx: { description: 'An ONNX model', types: ['application/octet-stream'] },
  image: { description: 'The bytes of an image', types: ['image/png', 'image/jpeg', 'image/webp', 'image/tiff'] },
  dvc: { description: 'A .dvc pointer file', types: ['application/yaml'] },
};
/** What a route answers that is no JSON. */
export type FileKind = keyof typeof files;

function answerOf(type: z.ZodType | FileKind): Json {
  if (typeof type !== 'string')
    return { description: 'Success', content: { 'application/json': { schema: schemaOf(type, 'output') } } };
  const { description, types } = files[type];
  const schema = { type: 'string', format: 'binary' };
  return { description, content: Object.fromEntries(types.map((name) => [name, { schema }])) };
}

const headerOf = (name: string, required: boolean, description: string, schema: Json): Json => ({
  ...{ name, in: 'header', required, description, schema },
});

const ifMatchOf = (taken: 'optional' | 'required'): Json =>
  headerOf(
    'If-Match',
    taken === 'required',
    'The ETag that was read. 412: it changed since. 428: it is needed here, and was not sent.',
    { type: 'string' },
  );

const idempotencyKey = headerOf(
  'Idempotency-Key',
  false,
  'Names this request for a day. With another body the same key is refused: 409 idempotency-key-reused. ' +
    'A training, deployment or rollback that is asked for again with it is the same one.',
  { type: 'string', maxLength: 200 },
);

function operationOf(route: DescribedRoute): Json {
  const named = parametersOf(route.path).map((name) => {
    const { description, ...schema } = schemaOf(pathParameters[name], 'input');
    return { name, in: 'path', required: true, description, schema };
  });
  const query = route.query === undefined ? {} : schemaOf(route.query, 'input');
  const required = new Set(Array.isArray(query['required']) ? (query['required'] as string[]) : []);
  const queried = Object.entries((query['properties'] ?? {}) as Record<string, Json>).map(([name, schema]) => ({
    ...{ name, in: 'query', required: required.has(name), schema },
  }));
  const headers = [
    ...(route.takesIfMatch === undefined ? [] : [ifMatchOf(route.takesIfMatch)]),
    ...(route.method === 'GET' ? [] : [idempotencyKey]),
  ];
  const image = { type: 'string', format: 'binary' };
  const body =
    route.takes === 'image'
      ? {
          requestBody: {
            required: true,
            content: {
              'image/png': { schema: image },
              'image/jpeg': { schema: image },
              'image/webp': { schema: image },
              'image/tiff': { schema: image },
            },
          },
        }
      : route.body === undefined
        ? {}
        : { requestBody: { content: { 'application/json': { schema: schemaOf(route.body, 'input') } } } };
  const answers = Object.entries(route.answers).map(([status, type]) => [status, answerOf(type)] as const);
  return {
    operationId: route.name,
    summary: route.summary,
    'x-role': route.role,
    'x-scope': route.scope,
    // OpenAPI 3.1: beside a scheme that knows no scopes stand the roles that are needed
    security: route.role === 'open' ? [] : [{ apiKey: [route.role] }, { bearer: [route.role] }],
    parameters: [...named, ...queried, ...headers],
    ...body,
    responses: withLimits(route, { ...Object.fromEntries(answers), default: problem }, problem.content),
  };
}

const access =
  'x-role of an operation is the least role that may call it (viewer < labeler < operator; open: anybody, without a key). ' +
  'x-scope is the project that the key must be for: project, the one in the path; all-projects, a key for all of them; ' +
  'any-key, whichever, and the answer shows what that key may see.';

/** The document that `/api/openapi.json` serves. */
export function openApi(routes: readonly DescribedRoute[], version: string): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes) (paths[`/api/${route.path}`] ??= {})[route.method.toLowerCase()] = operationOf(route);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Darkroom',
      version,
      description: `Upload scans, get live models: versions, trainings, models, endpoint. ${access}`,
    },
    components: {
      headers: limitHeaders,
      securitySchemes: {
        apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key' },
        bearer: { type: 'http', scheme: 'bearer', description: 'The same key' },
      },
    },
    security: [{ apiKey: [] }, { bearer: [] }],
    paths,
  };
}
