/** Watching a test and every process below it: who on another machine was asked for something. */
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import { isIP } from 'node:net';
import path from 'node:path';
import * as z from 'zod';
import { recordNetwork } from './record.ts';

const line = z.object({ how: z.string(), name: z.string(), by: z.string() });
export type Asked = z.infer<typeof line>;

export interface NetworkWatch {
  /** everything that was resolved or connected to, on this machine or not */
  all(): Promise<Asked[]>;
  /** of these what is on another machine */
  foreign(): Promise<Asked[]>;
  close(): void;
}

const isHere = (name: string): boolean => {
  const host = name.replace(/^\[|\]$/g, '');
  if (isIP(host) === 4) return host.startsWith('127.') || host === '0.0.0.0';
  return host === 'localhost' || host === '::1' || host === '::';
};

/** Watches from now on; what was seen is kept in `folder`. */
export async function watchNetwork(folder: string): Promise<NetworkWatch> {
  const file = path.join(folder, 'network.ndjson');
  const proxied: Asked[] = [];
  const refuse = http.createServer((request, response) => {
    proxied.push({ how: 'proxy', name: request.url ?? '', by: 'native code' });
    response.writeHead(502).end();
  });
  refuse.on('connect', (request, socket) => {
    proxied.push({ how: 'proxy', name: request.url ?? '', by: 'native code' });
    socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
  });
  await new Promise<void>((resolve) => refuse.listen(0, '127.0.0.1', resolve));
  const address = refuse.address();
  recordNetwork(file, `http://127.0.0.1:${typeof address === 'object' ? address?.port : address}`);
  const all = async (): Promise<Asked[]> => {
    const text = await readFile(file, 'utf8').catch(() => '');
    const seen = text.split('\n').filter((one) => one !== '');
    return [...seen.map((one) => line.parse(JSON.parse(one))), ...proxied];
  };
  return {
    all,
    foreign: async () => (await all()).filter(({ how, name }) => how === 'proxy' || !isHere(name)),
    close: () => void refuse.close(),
  };
}
