/** Dead letters, sent again by somebody who repairs. */
import { type Client, text, valuesOf } from './client.ts';

/**
 * Sends dead letters again, as an operator does after a repair, save those whose reason says that it is in vain;
 * returns how many were sent.
 */
export async function replayAll({ client }: { client: Client }, inVain: ReadonlySet<string>): Promise<number> {
  let sent = 0;
  const waiting = valuesOf(await client.ask('dead-letters-list', { query: { limit: '1000' } }));
  for (const letter of waiting.filter(({ reason }) => !inVain.has(text(reason)))) {
    const asked = { params: { queue: text(letter['queue']) }, json: { id: text(letter['id']) } };
    const answer = await client.ask('dead-letters-replay', asked);
    sent += Number(answer?.json['replayed'] ?? 0);
  }
  return sent;
}
