/** OpenAPI 3.1 from the table of routes. */
import type * as z from 'zod';
import { type AnswerHeader, answerHeaders, headersOf } from './headers.ts';
import { withLimits } from './limit-answers.ts';
import { namesIn, pathParameters } from './parameters.ts';
import { problemBody } from './problem.ts';
import { createSchemas, inline, type Json, type Schemas } from './schemas.ts';

interface DescribedRoute {
  name: string;
  tag: string;
  method: string;
  /** the whole of it, with names in braces */
  path: string;
  role: string;
  scope: string;
  summary: string;
  body?: z.ZodType;
  query?: z.ZodType;
  takes?: 'image' | 'model';
  answers: Record<number, z.ZodType | FileKind>;
  renders?: FileKind;
  headers?: readonly AnswerHeader[];
  takesIfMatch?: 'optional' | 'required';
}

const files = {
  onnx: { description: 'An ONNX model', types: ['application/octet-stream'] },
  image: { description: 'The bytes of an image', types: ['image/png', 'image/jpeg', 'image/webp', 'image/tiff'] },
  zip: { description: 'A ZIP archive', types: ['application/zip'] },
  png: { description: 'A picture for a person to look at', types: ['image/png'] },
  dvc: { description: 'A .dvc pointer file', types: ['application/yaml'] },
};
/** What a route answers that is no JSON. */
export type FileKind = keyof typeof files;

const binary = { type: 'string', format: 'binary' };

const contentOf = (kind: FileKind): Json =>
  Object.fromEntries(files[kind].types.map((name) => [name, { schema: binary }]));

/** `trainings-post` -> `TrainingsPost`. */
const pascal = (name: string): string => name.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());

function answerOf(route: DescribedRoute, status: string, schemas: Schemas): Json {
  const type = route.answers[Number(status)] as z.ZodType | FileKind;
  const headers = headersOf(['X-Request-Id', ...(route.headers ?? [])]);
  if (typeof type === 'string') return { description: files[type].description, headers, content: contentOf(type) };
  const name = pascal(route.name) + (route.name.endsWith('-list') ? '' : 'Answer');
  const description = Number(status) < 300 ? 'Success' : 'Not now, and why';
  const rendered = route.renders === undefined || status !== '200' ? {} : contentOf(route.renders);
  return { description, headers, content: { 'application/json': { schema: schemas.answer(type, name) }, ...rendered } };
}

const ifMatchOf = (taken: 'optional' | 'required'): Json => ({
  name: 'If-Match',
  in: 'header',
  required: taken === 'required',
  description: 'The ETag that was read. 412: it changed since. 428: it is needed here, and was not sent.',
  schema: { type: 'string', minLength: 1, maxLength: 200 },
});

const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description:
    'Names this request of its sender for a day. With another body or query the same key is refused: 409 idempotency-key-reused. ' +
    'A training, deployment or rollback that is asked for again with it is the same one.',
  schema: { type: 'string', minLength: 1, maxLength: 200 },
};

function parametersIn(route: DescribedRoute): Json[] {
  const schemas: Record<string, z.ZodType> = pathParameters;
  const named = namesIn(route.path).map((name) => {
    const { description, example, ...schema } = inline(schemas[name] as z.ZodType);
    return { name, in: 'path', required: true, description, example, schema };
  });
  const query = route.query === undefined ? {} : inline(route.query);
  const required = new Set(Array.isArray(query['required']) ? (query['required'] as string[]) : []);
  const queried = Object.entries((query['properties'] ?? {}) as Record<string, Json>).map(
    ([name, { description, ...schema }]) => ({
      ...{ name, in: 'query', required: required.has(name), schema },
      ...(description === undefined ? {} : { description }),
    }),
  );
  return [
    ...[...named, ...queried],
    ...(route.takesIfMatch === undefined ? [] : [ifMatchOf(route.takesIfMatch)]),
    ...(route.method === 'GET' ? [] : [{ $ref: '#/components/parameters/Idempotency-Key' }]),
  ];
}

function bodyOf(route: DescribedRoute, schemas: Schemas): Json {
  if (route.takes === 'image') {
    // an image is known by its bytes, whatever it is called
    const types = [...files.image.types, 'application/octet-stream'];
    const content = Object.fromEntries(types.map((name) => [name, { schema: binary }]));
    return { requestBody: { required: true, content } };
  }
  if (route.takes === 'model') {
    return { requestBody: { required: true, content: contentOf('onnx') } };
  }
  if (route.body === undefined) return {};
  const patches = route.method === 'PATCH';
  const content = { schema: schemas.body(route.body, `${pascal(route.name)}Request`, !patches) };
  const types = patches ? ['application/merge-patch+json', 'application/json'] : ['application/json'];
  const required = !route.body.safeParse(undefined).success;
  return { requestBody: { required, content: Object.fromEntries(types.map((name) => [name, content])) } };
}

function responsesOf(route: DescribedRoute, schemas: Schemas): Json {
  const problem = problemOf(schemas);
  const answers = Object.keys(route.answers).map((status) => [status, answerOf(route, status, schemas)] as const);
  return withLimits(route, { ...Object.fromEntries(answers), default: problem }, problem);
}

const operationOf = (route: DescribedRoute, schemas: Schemas): Json => ({
  operationId: route.name,
  tags: [route.tag],
  summary: route.summary,
  'x-role': route.role,
  'x-scope': route.scope,
  // OpenAPI 3.1: beside a scheme that knows no scopes stand the roles that are needed
  security: route.role === 'open' ? [] : [{ apiKey: [route.role] }, { bearer: [route.role] }],
  parameters: parametersIn(route),
  ...bodyOf(route, schemas),
  responses: responsesOf(route, schemas),
});

const access =
  'x-role of an operation is the least role that may call it (viewer < labeler < operator; open: anybody, without a key). ' +
  'x-scope is the project that the key must be for: project, the one in the path; all-projects, a key for all of them; ' +
  'any-key, whichever, and the answer shows what that key may see.';

const securitySchemes = {
  apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key', description: 'A key of POST /api/v1/keys' },
  bearer: { type: 'http', scheme: 'bearer', description: 'The same key' },
};

const problemOf = (schemas: Schemas): Json => ({
  description: 'What failed, why, and what to do next',
  headers: headersOf(['X-Request-Id', 'X-Ms-Error-Code', 'Retry-After', 'Allow', 'WWW-Authenticate']),
  content: { 'application/problem+json': { schema: schemas.answer(problemBody, 'Problem') } },
});

/** The document that `/api/openapi.json` serves. `tags`: what each tag of the routes is about. */
export function openApi(routes: readonly DescribedRoute[], tags: Record<string, string>, version: string): Json {
  const schemas = createSchemas();
  const paths: Record<string, Json> = {};
  for (const route of routes) (paths[route.path] ??= {})[route.method.toLowerCase()] = operationOf(route, schemas);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Darkroom',
      version,
      description: `Upload scans, get live models: versions, trainings, models, endpoint. ${access}`,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/', description: 'Where this document came from' }],
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    components: {
      schemas: schemas.components(),
      headers: answerHeaders,
      parameters: { 'Idempotency-Key': idempotencyKey },
      securitySchemes,
    },
    security: [{ apiKey: [] }, { bearer: [] }],
    paths,
  };
}
