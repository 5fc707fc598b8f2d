/** Whether a backend answers, and whether everything that it needs does. */
import * as z from 'zod';
import { readyView } from '../shared/api/views/health.ts';
import type { Client } from './client.ts';

/** Resolves when the process answers; it touches nothing. */
export const isLive = async (client: Client): Promise<void> => void (await client.get('/health/live', z.unknown()));

/** Resolves when every dependency answers; rejects with what does not. */
export const isReady = async (client: Client): Promise<void> => void (await client.get('/health/ready', readyView));
