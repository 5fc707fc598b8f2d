/** What may be wrong with how a request is sent: lengths, chunks, versions, expectations. */
import type { Wrong } from './draft.ts';

export const inTransport: Wrong[] = [
  [
    'a length too small',
    (d) => {
      d.announced = false;
      d.headers.push(['content-length', String(Math.max(0, d.body.length - 3))]);
    },
  ],
  [
    'a length too large',
    (d) => {
      d.announced = false;
      d.leaves = true;
      d.headers.push(['content-length', String(d.body.length + 100)]);
    },
  ],
  [
    'a length that is none',
    (d, random) => {
      d.announced = false;
      d.headers.push(['content-length', random.pick(['-1', 'x', '1e3', '+5', '99999999999999999999', '1, 2', ''])]);
    },
  ],
  [
    'a length beyond every limit',
    (d) => {
      d.announced = false;
      d.headers.push(['content-length', String(2 ** 31)]);
    },
  ],
  ['no length', (d) => void (d.announced = false)],
  [
    'chunks',
    (d) => {
      d.announced = false;
      d.headers.push(['transfer-encoding', 'chunked']);
      d.body = Buffer.concat([Buffer.from(`${d.body.length.toString(16)}\r\n`), d.body, Buffer.from('\r\n0\r\n\r\n')]);
      if (d.body.toString('latin1').startsWith('0\r\n')) d.body = Buffer.from('0\r\n\r\n');
    },
  ],
  [
    'broken chunks',
    (d, random) => {
      d.announced = false;
      d.leaves = true;
      d.headers.push(['transfer-encoding', 'chunked']);
      d.body = Buffer.from(
        random.pick([
          'zz\r\n',
          '-1\r\n\r\n',
          '5\r\nab\r\n0\r\n\r\n',
          'ffffffffffffffff\r\n',
          '0;' + 'e'.repeat(20_000),
        ]),
      );
    },
  ],
  [
    'chunks and a length',
    (d) => {
      d.headers.push(['transfer-encoding', 'chunked']);
      d.body = Buffer.from('0\r\n\r\nGET /api/v1/health/live HTTP/1.1\r\nhost: x\r\n\r\n');
    },
  ],
  ['an unknown transfer coding', (d) => void d.headers.push(['transfer-encoding', 'gzip, identity'])],
  ['an expectation', (d, random) => void d.headers.push(['expect', random.pick(['100-continue', '200-maybe'])])],
  ['HTTP/1.0', (d) => void (d.version = 'HTTP/1.0')],
  ['HTTP of no version', (d, random) => void (d.version = random.pick(['HTTP/3.0', 'HTTP/1.2', 'http', '']))],
  [
    'an upgrade',
    (d) => void d.headers.push(['connection', 'upgrade'], ['upgrade', 'websocket'], ['sec-websocket-key', 'x']),
  ],
];
