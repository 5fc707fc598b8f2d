/** A tiny stand-in for signed blob addresses: PUT creates once, GET reads; some addresses can be made to fail at first. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface BlobServer {
  base: string;
  blobs: Map<string, Buffer>;
  /** path -> how often it answers 503 before it works */
  failures: Map<string, number>;
  /** path -> how often a PUT is carried out and its answer lost */
  lostAnswers: Map<string, number>;
  /** the answer to a PUT of a blob that is there: at first, that an address may only create */
  refusal: { status: number; code: string };
  /** reads per path */
  reads: Map<string, number>;
  close(): Promise<void>;
}

/** Serves on loopback. */
export async function startBlobServer(): Promise<BlobServer> {
  const blobs = new Map<string, Buffer>();
  const failures = new Map<string, number>();
  const lostAnswers = new Map<string, number>();
  const reads = new Map<string, number>();
  const refusal = { status: 403, code: 'UnauthorizedBlobOverwrite' };
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname);
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const failing = failures.get(path) ?? 0;
      if (failing > 0) {
        failures.set(path, failing - 1);
        response.writeHead(503).end();
      } else if (request.method === 'PUT') {
        const asked = request.headers['x-ms-blob-type'] === 'BlockBlob' && request.headers['if-none-match'] === '*';
        const status = asked ? (blobs.has(path) ? refusal.status : 201) : 400;
        if (status === 201) blobs.set(path, Buffer.concat(parts));
        const losing = lostAnswers.get(path) ?? 0;
        lostAnswers.set(path, losing - 1);
        if (losing > 0) request.socket.destroy();
        else response.writeHead(status, status === 201 ? {} : { 'x-ms-error-code': refusal.code }).end();
      } else {
        reads.set(path, (reads.get(path) ?? 0) + 1);
        const body = blobs.get(path);
        response.writeHead(body === undefined ? 404 : 200).end(body);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    base: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    blobs,
    failures,
    lostAnswers,
    refusal,
    reads,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
