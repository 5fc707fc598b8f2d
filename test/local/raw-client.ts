/** A client over one connection, which sends all of a body before it looks at the answer, as many programs do. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { onTestFinished } from 'vitest';

export interface RawClient {
  /** Sends `size` bytes and resolves to `status body`; rejects when the connection is cut. */
  send(path: string, size: number, headers?: Record<string, string>, method?: string): Promise<string>;
}

/** The first whole answer in `text`: its status and body, and what follows it. */
function answerIn(text: string): { answer: string; rest: string } | undefined {
  const [head = '', ...more] = text.split('\r\n\r\n');
  const after = more.join('\r\n\r\n');
  const status = /^HTTP\/1\.1 (\d+)/.exec(head)?.[1];
  const length = /content-length: (\d+)/i.exec(head)?.[1];
  if (status === undefined || more.length === 0) return undefined;
  if (length !== undefined) {
    const size = Number(length);
    return after.length < size
      ? undefined
      : { answer: `${status} ${after.slice(0, size)}`.trim(), rest: after.slice(size) };
  }
  const chunked = /^([\s\S]*?)\r\n?0\r\n\r\n/.exec(after) ?? undefined;
  if (chunked === undefined) return undefined;
  const body = (chunked[1] ?? '').split(/[0-9a-f]+\r\n/).join('');
  return { answer: `${status} ${body}`.trim(), rest: after.slice(chunked[0].length) };
}

/** Connects; the connection ends with the test. */
export function rawClient(port: number): RawClient {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  const cut = once(socket, 'close').then(() => Promise.reject(new Error('the connection was cut')));
  cut.catch(() => undefined);
  socket.on('error', () => undefined);
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return {
    async send(path, size, headers = {}, method = 'POST') {
      const lines = Object.entries({ host: `127.0.0.1:${port}`, ...headers, 'content-length': String(size) });
      socket.write(
        `${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
      );
      const chunk = Buffer.alloc(1 << 16);
      for (let sent = 0; sent < size; sent += chunk.length) {
        const more = socket.write(chunk.subarray(0, Math.min(chunk.length, size - sent)));
        if (!more) await Promise.race([once(socket, 'drain'), cut]);
      }
      for (;;) {
        const found = answerIn(text);
        if (found !== undefined) {
          text = found.rest;
          return found.answer;
        }
        await Promise.race([once(socket, 'data'), cut]);
      }
    },
  };
}
