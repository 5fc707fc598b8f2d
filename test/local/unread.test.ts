import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { drainAfter, endUnread } from '../../local/unread.ts';

async function serve(listener: RequestListener): Promise<{ server: Server; open: (request: string) => Socket }> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const open = (request: string): Socket => {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    onTestFinished(() => void socket.destroy());
    socket.write(request);
    return socket;
  };
  return { server, open };
}

test('the rest of a refused body that does not come costs the connection, after its answer', async () => {
  const { open } = await serve((request, response) => {
    // whoever began to read is not drained by Node
    request.once('data', () => response.writeHead(401).end('who?')).once('data', () => request.pause());
    drainAfter(response, request, 50);
  });
  const socket = open('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\nx');
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await once(socket, 'close');
  expect(text).toMatch(/^HTTP\/1\.1 401 [\s\S]*who\?/);
});

test('an answer that the client does not read costs the connection, one that it reads slowly does not', async () => {
  const size = 20e6;
  const { server, open } = await serve((_request, response) => {
    endUnread(response, 1000);
    response.end(Buffer.alloc(size));
  });
  const ended = new Promise((resolve) => server.once('connection', (first: Socket) => first.once('close', resolve)));
  const request = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n';
  const unread = open(request).pause();
  await once(server, 'request');
  const slow = open(request);
  let read = 0;
  slow.on('data', (chunk: Buffer) => {
    read += chunk.length;
    if (read > 10e6) return;
    slow.pause();
    setTimeout(() => slow.resume(), 5);
  });
  await ended;
  while (slow.bytesRead < size) await once(slow, 'data');
  unread.resume();
  await once(unread, 'close');
  expect(unread.bytesRead).toBeLessThan(size);
});
