/** Operations on one document: create, read, replace, upsert, delete, patch, with their preconditions. */
import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { badRequest, conflict, Failure, notFound, preconditionFailed } from './failure.ts';
import { keyOf } from './partition-key.ts';
import { applyPatch, parsePatch, type PatchBody } from './patch.ts';
import { parseQuery } from './query/parse.ts';
import { prepare } from './query/program.ts';
import { isObject } from './query/values.ts';
import { containerRid, databaseRid, documentRids } from './resource-id.ts';
import { type ContainerRecord, nowSeconds, type Store, type StoredDocument } from './store.ts';

const maxDocumentBytes = 2 * 1024 * 1024;
const maxIdBytes = 1023;
/** `ttl` is a property of documents: seconds, or -1 for never */
const ttl = z.union([z.int().min(1).max(2_147_483_647), z.literal(-1)]);

export interface Conditions {
  ifMatch: string | undefined;
  ifNoneMatch: string | undefined;
}

interface Addressed extends Conditions {
  /** partition key as stored */
  key: string;
}

export type Operation =
  | ({ type: 'Create'; document: unknown } & Addressed)
  | ({ type: 'Upsert'; document: unknown } & Addressed)
  | ({ type: 'Read'; id: string } & Addressed)
  | ({ type: 'Delete'; id: string } & Addressed)
  | ({ type: 'Replace'; id: string; document: unknown } & Addressed)
  | ({ type: 'Patch'; id: string; patch: unknown } & Addressed);

/** what an operation answers; `body` is JSON */
export interface Outcome {
  status: 200 | 201 | 204 | 304;
  etag?: string;
  body?: string;
}

/** Checks the id of a database, container or document. Throws 400. */
export function checkId(id: unknown): string {
  if (typeof id !== 'string' || id === '') {
    throw badRequest('The input content is invalid because the required property - id - is missing or is not a text');
  }
  if (/[/\\?#]/.test(id)) throw badRequest("Ids must not contain the characters '/', '\\', '?' or '#'");
  if (id.endsWith(' ')) throw badRequest('Ids must not end with a space');
  if (Buffer.byteLength(id) > maxIdBytes) throw badRequest(`Ids have at most ${maxIdBytes} bytes`);
  return id;
}

function asDocument(value: unknown): Record<string, unknown> & { id: string } {
  if (!isObject(value)) throw badRequest('A document is a JSON object');
  return { ...value, id: checkId(value['id']) };
}

function checkTtl(value: unknown): number | null {
  if (value === undefined || value === null) return null;
  const parsed = ttl.safeParse(value);
  if (!parsed.success) throw badRequest('ttl is a whole number of seconds from 1, or -1');
  return parsed.data;
}

const matches = (condition: string, current: StoredDocument): boolean =>
  condition === '*' || condition === current.etag;

function checkConditions(current: StoredDocument, { ifMatch, ifNoneMatch }: Conditions): void {
  if (ifMatch !== undefined && !matches(ifMatch, current)) throw preconditionFailed();
  if (ifNoneMatch !== undefined && matches(ifNoneMatch, current)) throw preconditionFailed();
}

/** The operations on the documents of one store. */
export function documentOperations(store: Store) {
  const write = (
    container: ContainerRecord,
    key: string,
    input: unknown,
    before: StoredDocument | undefined,
    status: 200 | 201,
  ): Outcome => {
    const document = asDocument(input);
    if (keyOf(container.definition.partitionKey.paths, document) !== key) {
      throw new Failure(
        400,
        "PartitionKey extracted from document doesn't match the one specified in the header",
        1001,
      );
    }
    const change = store.nextNumber();
    const number = before?.number ?? change;
    const etag = `"${randomUUID()}"`;
    const ts = nowSeconds();
    const rid = documentRids(container.database.number, container.number)(number);
    const body = JSON.stringify({
      ...document,
      _rid: rid,
      _self: `${containerLink(container)}docs/${rid}/`,
      _etag: etag,
      _attachments: 'attachments/',
      _ts: ts,
    });
    if (Buffer.byteLength(body) > maxDocumentBytes) throw new Failure(413, 'Request size is too large');
    store.write(container, { number, key, id: document.id, change, etag, ts, ttl: checkTtl(document['ttl']), body });
    return { status, etag, body };
  };

  const existing = (container: ContainerRecord, key: string, id: string): StoredDocument => {
    const found = store.read(container, key, id);
    if (found === undefined) throw notFound();
    return found;
  };

  const patch = (container: ContainerRecord, key: string, current: StoredDocument, body: PatchBody): Outcome => {
    const document = JSON.parse(current.body) as Record<string, unknown>;
    if (body.condition !== undefined && !holds(body.condition, document)) throw preconditionFailed();
    applyPatch(document, body.operations);
    return write(container, key, document, current, 200);
  };

  /** Carries out one operation. Throws Failure with 400, 404, 409, 412 or 413. */
  return (container: ContainerRecord, operation: Operation): Outcome => {
    const { key } = operation;
    if (operation.type === 'Create' || operation.type === 'Upsert') {
      const document = asDocument(operation.document);
      const current = store.read(container, key, document.id);
      if (current === undefined) return write(container, key, document, undefined, 201);
      if (operation.type === 'Create') throw conflict();
      checkConditions(current, operation);
      return write(container, key, document, current, 200);
    }
    const current = existing(container, key, operation.id);
    if (operation.type === 'Read') {
      const { etag, body } = current;
      if (operation.ifNoneMatch !== undefined && matches(operation.ifNoneMatch, current)) return { status: 304, etag };
      return { status: 200, etag, body };
    }
    checkConditions(current, operation);
    if (operation.type === 'Patch') return patch(container, key, current, parsePatch(operation.patch));
    if (operation.type === 'Delete') {
      store.delete(container, current);
      return { status: 204 };
    }
    if (asDocument(operation.document).id !== operation.id) throw badRequest('The id of a document cannot be replaced');
    return write(container, key, operation.document, current, 200);
  };
}

/** `_self` of a container */
const containerLink = ({ database, number }: ContainerRecord): string =>
  `dbs/${databaseRid(database.number)}/colls/${containerRid(database.number, number)}/`;

/** Whether a document meets the condition of a patch: `FROM c WHERE ...`. */
function holds(condition: string, document: unknown): boolean {
  return prepare(parseQuery(`SELECT * ${condition}`), new Map()).rows(document).length > 0;
}
