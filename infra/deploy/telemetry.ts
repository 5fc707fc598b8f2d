/** Asks Application Insights, as its workbook does: https://learn.microsoft.com/azure/azure-monitor/logs/api/overview */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { getClient } from '@azure-rest/core-client';
import type { TokenCredential } from '@azure/core-auth';
import * as z from 'zod';
import type { Count } from './comparison.ts';

const queryFile = path.join(import.meta.dirname, '../queries/deployment.kql');
const requestLimitMs = 60_000;
const api = { endpoint: 'https://api.loganalytics.azure.com', scope: 'https://api.loganalytics.io/.default' };

const answer = z.object({
  tables: z.tuple([
    z.object({ columns: z.array(z.object({ name: z.string() })), rows: z.array(z.array(z.unknown())).max(100_000) }),
  ]),
  // an answer that lacks a part says so, with status 200
  error: z.object({ code: z.string(), message: z.string() }).optional(),
});
const row = z.object({
  stage: z.string(),
  // Log Analytics writes booleans as such, Application Insights as 0 and 1
  after: z.union([z.boolean(), z.number()]).transform(Boolean),
  failed: z.union([z.boolean(), z.number()]).transform(Boolean),
  bin: z.number().int(),
  records: z.number().int().nonnegative(),
});
const refusal = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/** The query with a moment and a span put in. */
export async function deploymentQuery(deployedAt: string, hoursBefore: number): Promise<string> {
  const moment = z.iso.datetime().parse(deployedAt);
  const text = await readFile(queryFile, 'utf8');
  return text
    .replace('{deployedAt}', moment)
    .replace('{hoursBefore}', String(z.number().positive().parse(hoursBefore)));
}

/** Runs the query on a component of Application Insights. Throws with Azure's reason. */
export async function countsAround(
  insightsId: string,
  deployedAt: string,
  hoursBefore: number,
  credential: TokenCredential,
  endpoint = api.endpoint,
): Promise<Count[]> {
  const client = getClient(endpoint, {
    allowInsecureConnection: endpoint.startsWith('http:'),
    retryOptions: { maxRetries: 4 },
    // the stock policy refuses plain http, which a server of a test speaks
    additionalPolicies: [
      {
        position: 'perRetry',
        policy: {
          name: 'query-token',
          async sendRequest(request, next) {
            const token = await credential.getToken(api.scope);
            request.headers.set('authorization', `Bearer ${token?.token ?? ''}`);
            return next(request);
          },
        },
      },
    ],
  });
  const query = await deploymentQuery(deployedAt, hoursBefore);
  const { status, body } = await client.pathUnchecked(`/v1${insightsId}/query`).post({
    body: { query, timespan: `PT${Math.ceil(hoursBefore) + 24}H` },
    timeout: requestLimitMs,
  });
  const what = 'Telemetry was not compared';
  if (status !== '200') {
    const { data } = refusal.safeParse(body);
    const why = data === undefined ? `status ${status}` : `${data.error.code}: ${data.error.message}`;
    throw new Error(`${what}: ${why}. Reading it takes the role Log Analytics Reader on ${insightsId}.`);
  }
  const { tables, error } = answer.parse(body);
  if (error !== undefined) throw new Error(`${what}: the answer is not whole (${error.code}: ${error.message})`);
  const [{ columns, rows }] = tables;
  return rows.map((cells) => row.parse(Object.fromEntries(columns.map(({ name }, i) => [name, cells[i]]))));
}
