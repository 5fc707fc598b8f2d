/** Claims-based security (AMQP CBS 1.0): what a connection has put on `$cbs` decides which links it may open. */
import { type Keyless, resources } from '../identity/keyless.ts';
import type { Answer } from './management.ts';

interface PutToken {
  application_properties?: Record<string, unknown>;
  body: unknown;
}

export interface Claims {
  put(connection: object, request: PutToken): Answer;
  allows(connection: object): boolean;
}

/** Without `keyless` every claim is taken and none is needed, as with an emulator. */
export function claims(keyless: Keyless | undefined): Claims {
  if (keyless === undefined) return { put: () => ({ status: 202 }), allows: () => true };
  const connections = new WeakSet();
  const denied = (description: string): Answer => ({ status: 401, condition: 'amqp:unauthorized-access', description });
  return {
    put(connection, { application_properties: properties, body }) {
      if (properties?.['operation'] !== 'put-token') return denied('only put-token is served');
      if (properties['type'] !== 'jwt')
        return denied('Local authentication is disabled: a token of type jwt is needed.');
      try {
        keyless.tokens.verify(String(body), resources.serviceBus);
      } catch (error) {
        return denied(error instanceof Error ? error.message : 'the token cannot be read');
      }
      connections.add(connection);
      return { status: 202 };
    },
    allows: (connection) => connections.has(connection),
  };
}
