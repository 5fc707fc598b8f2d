/** An answer other than success, in the form the Cosmos DB gateway gives it. */
const codes: Record<number, string> = {
  304: 'NotModified',
  400: 'BadRequest',
  401: 'Unauthorized',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  409: 'Conflict',
  412: 'PreconditionFailed',
  413: 'RequestEntityTooLarge',
  503: 'ServiceUnavailable',
};

/** Thrown by everything below the HTTP border; becomes status, `code`, `message` and `x-ms-substatus` of the answer. */
export class Failure extends Error {
  readonly status: number;
  readonly code: string;
  /** finer reason, e.g. 1001: the partition key header does not match the document */
  readonly substatus: number | undefined;
  /** members of the answer's body beside code and message */
  readonly details: Record<string, unknown>;

  constructor(status: number, message: string, substatus?: number, details: Record<string, unknown> = {}) {
    super(message);
    this.status = status;
    this.code = codes[status] ?? 'InternalServerError';
    this.substatus = substatus;
    this.details = details;
  }
}

/** 400: what was asked is wrong, and says why. */
export const badRequest = (message: string): Failure => new Failure(400, message);
/** 404: there is no such item. */
export const notFound = (): Failure => new Failure(404, 'Entity with the specified id does not exist in the system.');
/** 409: there is such an item already. */
export const conflict = (): Failure => new Failure(409, 'Entity with the specified id already exists in the system.');
/** 412: the etag is not the current one. */
export const preconditionFailed = (): Failure =>
  new Failure(412, 'Operation cannot be performed because one of the specified precondition is not met.');
