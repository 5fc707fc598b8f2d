/** Stands before a broker that speaks AMQP 1.0 over TCP and breaks connections where it hurts: around sends and settlements. */
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { listen, loopback } from '../../local/listen.ts';
import { type FaultKind, type Faults, latencyMs, silenceMs } from './faults.ts';
import type { Proxy } from './http-proxy.ts';

/** performatives that carry messages and what becomes of them (AMQP 1.0, 2.7.5 and 2.7.6) */
const transfer = 0x14;
const disposition = 0x15;
const drops = 4;
const dropPauseMs = 30;
/** a broker notices a client that is gone some time after the client has noticed */
const lingerMs = 1000;

/** Cuts a byte stream into protocol headers and frames (AMQP 1.0, 2.2 and 2.3.1). */
function frameCutter(): (chunk: Buffer) => Buffer[] {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    const frames: Buffer[] = [];
    while (rest.length >= 8) {
      const size = rest.toString('latin1', 0, 4) === 'AMQP' ? 8 : rest.readUInt32BE(0);
      if (rest.length < size) break;
      frames.push(rest.subarray(0, size));
      rest = rest.subarray(size);
    }
    return frames;
  };
}

/** The descriptor of a frame's performative; undefined for headers, empty frames and SASL. */
function performative(frame: Buffer): number | undefined {
  const at = (frame[4] ?? 0) * 4;
  if (frame.length < at + 3 || frame[5] !== 0 || frame.toString('latin1', 0, 4) === 'AMQP') return undefined;
  return frame[at] === 0 && frame[at + 1] === 0x53 ? frame[at + 2] : undefined;
}

/** One client and the broker behind it. */
function join(client: Socket, broker: Socket, faults: Faults): void {
  const state = { silent: false, dieAtAnswer: false };
  const die = (): void => {
    client.resetAndDestroy();
    broker.resetAndDestroy();
  };
  /** Passes a frame on, or does not; resolves when the next one may follow. */
  const pass = async (frame: Buffer, to: Socket, fault: FaultKind | undefined): Promise<void> => {
    if (state.silent) return;
    const fromBroker = to === client;
    if (fromBroker && state.dieAtAnswer) return die();
    if (fault === 'silent') {
      state.silent = true;
      setTimeout(die, silenceMs).unref();
      return;
    }
    if (fault === 'half-closed') {
      client.end();
      setTimeout(die, lingerMs).unref();
      return;
    }
    if (fault === 'reset-before') return die();
    if (fault === 'reset-after') {
      // what the client asked is done, and it never hears of it; what the broker said is lost
      if (fromBroker) return die();
      state.dieAtAnswer = true;
    }
    if (fault === 'latency') await sleep(latencyMs(faults.random));
    const size = fault === 'slow-body' ? Math.ceil(frame.length / drops) : frame.length;
    for (let at = 0; at < frame.length; at += size) {
      if (to.writable) to.write(frame.subarray(at, at + size));
      if (size < frame.length) await sleep(dropPauseMs);
    }
  };
  for (const [from, to] of [
    [client, broker],
    [broker, client],
  ] as const) {
    const cut = frameCutter();
    let last = Promise.resolve();
    from.setNoDelay(true);
    from.on('data', (chunk: Buffer) => {
      for (const frame of cut(chunk)) {
        const code = performative(frame);
        const fault = code === transfer || code === disposition ? faults.next() : undefined;
        last = last.then(() => pass(frame, to, fault)).catch(die);
      }
    });
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroy());
    from.on('end', () => void last.then(() => to.end()));
  }
}

/** Starts a proxy before the broker at `targetPort`. */
export async function startAmqpProxy(targetPort: number, faults: Faults): Promise<Proxy> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const broker = connect({ port: targetPort, host: loopback, allowHalfOpen: true });
    for (const socket of [client, broker]) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    }
    join(client, broker, faults);
  });
  const port = await listen(server, { port: 0, host: loopback, purpose: 'a proxy', setting: 'none' });
  return {
    port,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
