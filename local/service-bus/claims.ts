/** Claims-based security (AMQP CBS 1.0): what a connection has put on `$cbs` decides which links it may open. */
import { createHmac } from 'node:crypto';
import { isSame } from '../identity/is-same.ts';
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

/** Name of the policy that the one key belongs to. */
export const keyName = 'local';

/** Why a shared access signature is not one of `key`; undefined when it is
 * (https://learn.microsoft.com/azure/service-bus-messaging/service-bus-sas#generate-a-shared-access-signature-token). */
function whyNotSigned(token: string, key: string): string | undefined {
  const match = /^SharedAccessSignature (.+)$/.exec(token);
  if (match?.[1] === undefined) return 'it is no shared access signature';
  // what is signed is the resource as it is written in the token, encoded
  const parts = Object.fromEntries(
    match[1].split('&').map((part) => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)]),
  );
  const { sr = '', sig = '', se = '', skn = '' } = parts;
  const expected = createHmac('sha256', key).update(`${sr}\n${se}`).digest('base64');
  if (decoded(skn) !== keyName || !isSame(decoded(sig), expected)) return 'it was signed with another key';
  return Number(se) > Date.now() / 1000 ? undefined : 'it has expired';
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

/** What lets a connection in: tokens of an identity where keys are switched off, else signatures of the key. */
export function claims(credential: { key: string } | { keyless: Keyless }): Claims {
  const connections = new WeakSet();
  const denied = (description: string): Answer => ({ status: 401, condition: 'amqp:unauthorized-access', description });
  const whyRefused = (type: unknown, token: string): string | undefined => {
    if ('key' in credential) {
      // the token says what it is: Python calls a signature `jwt` as well
      const why = whyNotSigned(token, credential.key);
      return why === undefined ? undefined : `The token is not taken: ${why}. The platform's settings have the key.`;
    }
    if (type !== 'jwt') return 'Local authentication is disabled: a token of type jwt is needed.';
    try {
      credential.keyless.tokens.verify(token, resources.serviceBus);
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : 'the token cannot be read';
    }
  };
  return {
    put(connection, { application_properties: properties, body }) {
      if (properties?.['operation'] !== 'put-token') return denied('only put-token is served');
      const refusal = whyRefused(properties['type'], String(body));
      if (refusal !== undefined) return denied(refusal);
      connections.add(connection);
      return { status: 202 };
    },
    allows: (connection) => connections.has(connection),
  };
}
