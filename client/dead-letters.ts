/** Messages that nobody could handle. */
import type * as z from 'zod';
import { deadLetterView } from '../shared/api/views/operations.ts';
import type { Client } from './client.ts';
import { getAll } from './pages.ts';

export type DeadLetter = z.infer<typeof deadLetterView>;

/** All dead letters, of every queue. */
export const listDeadLetters = (client: Client): Promise<DeadLetter[]> =>
  getAll(client, '/dead-letters', deadLetterView);
