/** HTTP exactly as written: no client library puts names, lengths or encodings right on the way. */
import { connect } from 'node:net';

export interface RawRequest {
  method: string;
  /** path and query as they go over the wire */
  target: string | Buffer;
  /** in this order, as they are; Host and Content-Length are not added */
  headers: [name: string, value: string | Buffer][];
  body: Buffer;
  version?: string;
}

export interface RawAnswer {
  status: number;
  headers: Headers;
  body: Buffer;
}

const maxAnswerBytes = 64 * 1024 * 1024;
const lineEnd = Buffer.from('\r\n');

/** The bytes of a request. */
export function encode({ method, target, headers, body, version = 'HTTP/1.1' }: RawRequest): Buffer {
  const lines = headers.flatMap(([name, value]) => [Buffer.from(`${name}: `, 'latin1'), Buffer.from(value), lineEnd]);
  const start = [Buffer.from(`${method} `), Buffer.from(target), Buffer.from(` ${version}\r\n`)];
  return Buffer.concat([...start, ...lines, lineEnd, body]);
}

/**
 * Sends bytes over a connection of their own and reads one answer; 'closed': the connection ended without one.
 * `leaves`: the client goes away behind its last byte.
 * Rejects after `limitMs`: whoever waits longer is stuck.
 */
export function exchange(
  origin: string,
  bytes: Buffer,
  limitMs: number,
  leaves = false,
): Promise<RawAnswer | 'closed'> {
  const { hostname, port } = new URL(origin);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port) });
    const chunks: Buffer[] = [];
    let size = 0;
    const end = (result: RawAnswer | 'closed' | Error): void => {
      clearTimeout(timer);
      socket.destroy();
      if (result instanceof Error) reject(result);
      else resolve(result);
    };
    const timer = setTimeout(() => end(new Error(`no answer within ${limitMs} ms`)), limitMs);
    socket.on('connect', () => (leaves ? socket.end(bytes) : socket.write(bytes)));
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size > maxAnswerBytes) return end(new Error(`an answer of more than ${maxAnswerBytes} bytes`));
      const answer = parse(Buffer.concat(chunks), false);
      if (answer !== undefined) end(answer);
    });
    // a server that answers before it has read everything may reset the connection behind its answer
    const over = (): void => end(parse(Buffer.concat(chunks), true) ?? 'closed');
    socket.on('close', over);
    socket.on('error', over);
  });
}

/** The final answer in what came so far; undefined while it is not complete. `ended`: nothing more will come. */
function parse(received: Buffer, ended: boolean): RawAnswer | undefined {
  const headEnd = received.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const [statusLine = '', ...lines] = received.toString('latin1', 0, headEnd).split('\r\n');
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(statusLine)?.[1] ?? Number.NaN);
  const rest = received.subarray(headEnd + 4);
  if (status >= 100 && status < 200) return parse(rest, ended);
  const headers = new Headers(lines.map((line): [string, string] => split(line)));
  const body = headers.get('transfer-encoding') === 'chunked' ? dechunk(rest) : sized(rest, headers, ended);
  return body === undefined ? undefined : { status, headers, body };
}

function split(line: string): [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon), line.slice(colon + 1).trim()];
}

function sized(rest: Buffer, headers: Headers, ended: boolean): Buffer | undefined {
  const length = headers.get('content-length');
  if (length === null) return ended ? rest : undefined;
  return rest.length >= Number(length) ? rest.subarray(0, Number(length)) : undefined;
}

function dechunk(rest: Buffer): Buffer | undefined {
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const end = rest.indexOf(lineEnd, at);
    if (end < 0) return undefined;
    const size = Number.parseInt(rest.toString('latin1', at, end), 16);
    const next = end + 2 + size + 2;
    if (rest.length < next) return undefined;
    if (size === 0) return Buffer.concat(parts);
    parts.push(rest.subarray(end + 2, end + 2 + size));
    at = next;
  }
}
