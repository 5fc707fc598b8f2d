/** The AMQP 1.0 front of the broker, as the Service Bus SDKs speak it over plain TCP, or TLS where keys are switched off. */
import type { Server, Socket } from 'node:net';
import rhea from 'rhea';
import type { Keyless } from '../identity/keyless.ts';
import { claims } from './claims.ts';
import { type FindQueue, type Links, onFlow, openReceiver, openSender } from './links.ts';
import { settleDelivery } from './outcome.ts';
import { type EventContext, keepMessageBytes } from './rhea-types.ts';
import { onMessage } from './transfer.ts';

/** Of a namespace of the Basic tier. https://learn.microsoft.com/azure/service-bus-messaging/service-bus-quotas */
const basicConnections = 100;

/** Listens on loopback; `close` drops every connection. The 101st connection is refused, as Basic does. */
export async function listenAmqp(
  port: number,
  host: string,
  find: FindQueue,
  credential: { key: string } | { keyless: Keyless },
  busy: () => boolean,
): Promise<{ port: number; connections(): number; close(): Promise<void> }> {
  const container = rhea.create_container({ id: 'local-service-bus' });
  offerMechanisms(container);
  const links: Links = {
    requests: new WeakMap(),
    answers: new WeakMap(),
    entities: new WeakMap(),
    consumers: new WeakMap(),
    locks: new WeakMap(),
    claims: claims(credential),
    busy,
  };
  const on = (event: string, handle: (context: EventContext) => void): void => {
    container.on(event, handle as never);
  };
  const connections = limitConnections(on);
  // to a connection without claims there are no queues
  const finder = (connection: object): FindQueue => (links.claims.allows(connection) ? find : () => undefined);
  on('session_open', ({ session }) => keepMessageBytes(session, (link) => links.requests.has(link)));
  on('receiver_open', ({ receiver, connection }) => openReceiver(links, receiver, finder(connection)));
  on('sender_open', ({ sender, connection }) => openSender(links, sender, finder(connection)));
  on('message', (context) => void onMessage(links, context, finder(context.connection)));
  for (const outcome of ['accepted', 'rejected', 'released', 'modified']) {
    on(outcome, ({ delivery }) => void settleDelivery(outcome, delivery, links.locks.get(delivery)));
  }
  onFlow(links, on);
  for (const event of [
    'connection_error',
    'session_error',
    'sender_error',
    'receiver_error',
    'error',
    'protocol_error',
  ]) {
    on(event, () => {
      // a client that breaks off is no business of the broker's; its locks expire
    });
  }
  const server = container.listen({
    port,
    host,
    receiver_options: { autoaccept: false, credit_window: 500 },
    sender_options: { treat_modified_as_released: false },
    session_buffer_size: { incoming: 2048, outgoing: 8192 },
    idle_time_out: 120_000,
    ...('keyless' in credential ? { transport: 'tls', ...credential.keyless.tls } : {}),
  } as never) as unknown as Server;
  return { ...(await serve(server)), connections };
}

/** Closes connections beyond those of the tier as they open; returns how many there are. */
function limitConnections(on: (event: string, handle: (context: EventContext) => void) => void): () => number {
  const open = new Set<object>();
  on('connection_open', ({ connection }) => {
    if (open.size < basicConnections) {
      open.add(connection);
      return;
    }
    const description = 'ConnectionsQuotaExceeded for namespace localhost: the Basic tier takes 100 connections.';
    connection.close({ condition: 'amqp:resource-limit-exceeded', description });
  });
  for (const event of ['connection_close', 'disconnected']) on(event, ({ connection }) => open.delete(connection));
  return () => open.size;
}

/** SASL lets everybody in, claims on `$cbs` decide: JavaScript and Python ask for ANONYMOUS, .NET and Java for MSSBCBS. */
function offerMechanisms(container: object): void {
  const { sasl_server_mechanisms: mechanisms } = container as { sasl_server_mechanisms: Record<string, () => object> };
  const open = () => ({
    outcome: undefined as boolean | undefined,
    start() {
      this.outcome = true;
    },
  });
  for (const name of ['ANONYMOUS', 'MSSBCBS']) mechanisms[name] = open;
}

function serve(server: Server): Promise<{ port: number; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    socket.setNoDelay(true);
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.on('listening', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      const close = (): Promise<void> =>
        new Promise((done) => {
          for (const socket of sockets) socket.destroy();
          server.close(() => done());
        });
      resolve({ port, close });
    });
  });
}
