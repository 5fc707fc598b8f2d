/** Hands cases of the corpus to what handles such input, and says in a few words what became of them. */
import * as z from 'zod';
import { differences, jsonOf } from '../e2e/contract.ts';
import type { Body } from './bodies.ts';
import { encode, exchange } from './raw.ts';
import type { Context } from './requests.ts';

const limitMs = 20_000;
const problem = z.object({ error: z.object({ code: z.string(), target: z.string().optional() }) });

/** Sends a JSON body to its route: status, code and field of the answer. */
export async function sendBody(context: Context & { origin: string }, { operationId, body }: Body): Promise<string> {
  const operation = context.operations.find((one) => one.operationId === operationId);
  if (operation === undefined) throw new Error(`there is no operation ${operationId}`);
  const { params } = context;
  const content = Buffer.from(body);
  const answer = await exchange(
    context.origin,
    encode({
      method: operation.method,
      target: operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => params[name] ?? ''),
      headers: [
        ['host', context.host],
        ['x-api-key', context.key],
        ['content-type', 'application/json'],
        ['content-length', String(content.length)],
      ],
      body: content,
    }),
    limitMs,
  );
  if (answer === 'closed') return 'no answer';
  const broken = differences(operation, answer);
  if (broken.length > 0) return `${answer.status} unlike the document: ${broken.join('; ')}`;
  const { data } = problem.safeParse(jsonOf(answer));
  return [answer.status, data?.error.code, data?.error.target].filter((part) => part !== undefined).join(' ');
}
