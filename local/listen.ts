/** Binding of local services to loopback ports, with errors that say what to change. */
import { createServer, type Server, type AddressInfo } from 'node:net';

/** The one address that local services bind to unless told otherwise: they are development services without TLS. */
export const loopback = '127.0.0.1';

interface Binding {
  /** 0 picks any free port */
  port: number;
  host: string;
  /** what the port is for, e.g. `blob` */
  purpose: string;
  /** the setting that names the port, e.g. `ports.blob` */
  setting: string;
}

/**
 * Starts a server and resolves with its port.
 * Throws an error that names the port and the setting to change when the port is taken.
 */
export async function listen(server: Server, binding: Binding): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(refusal(cause, binding)));
    server.listen(binding.port, binding.host, resolve);
  });
  return (server.address() as AddressInfo).port;
}

/** Checks that a port can be bound; the errors are those of `listen`. A port of 0 is always free. */
export async function assertFree(binding: Binding): Promise<void> {
  if (binding.port === 0) return;
  const probe = createServer();
  await listen(probe, binding);
  await new Promise<void>((resolve) => probe.close(() => resolve()));
}

function refusal(cause: NodeJS.ErrnoException, { port, host, purpose, setting }: Binding): Error {
  if (cause.code === 'EADDRINUSE') {
    return new Error(
      `Port ${port} for ${purpose} is already in use on ${host}: free it, or choose another with ${setting}`,
      { cause },
    );
  }
  return new Error(`Port ${port} for ${purpose} cannot be opened on ${host}: ${cause.message}; see ${setting}`, {
    cause,
  });
}
