/**
 * `npm run deploy:comment -- --pull-request 7 --topic what-if-dev --file comment.md`: writes a comment, or replaces the
 * one on the same topic. In a workflow, with GITHUB_TOKEN.
 */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { getClient } from '@azure-rest/core-client';
import * as z from 'zod';
import { command } from './command.ts';

const requestLimitMs = 30_000;
const perPage = 100;
const maxPages = 30;

const shape = z.object({
  'pull-request': z.string().regex(/^\d+$/, { error: 'a number' }),
  topic: z.string().regex(/^[a-z0-9-]+$/),
  file: z.string(),
});
const surroundings = z.object({
  GITHUB_REPOSITORY: z.string().regex(/^[\w.-]+\/[\w.-]+$/),
  GITHUB_TOKEN: z.string().min(1),
  GITHUB_API_URL: z.url(),
});
const comments = z.array(z.object({ id: z.number(), body: z.string().nullish() }));

await command(async () => {
  const { values } = parseArgs({
    options: { 'pull-request': { type: 'string' }, topic: { type: 'string' }, file: { type: 'string' } },
  });
  const { 'pull-request': number, topic, file } = shape.parse(values);
  const {
    GITHUB_REPOSITORY: repository,
    GITHUB_TOKEN: token,
    GITHUB_API_URL: endpoint,
  } = surroundings.parse(process.env);
  const client = getClient(endpoint, { allowInsecureConnection: endpoint.startsWith('http:') });
  const headers = { authorization: `Bearer ${token}`, accept: 'application/vnd.github+json' };
  const issues = `/repos/${repository}/issues`;

  const marker = `<!-- ${topic} -->`;
  const existing = async (): Promise<number | undefined> => {
    for (let page = 1; page <= maxPages; page++) {
      const path = `${issues}/${number}/comments?per_page=${perPage}&page=${page}`;
      const { status, body } = await client.pathUnchecked(path).get({ headers, timeout: requestLimitMs });
      if (status !== '200')
        throw new Error(`GitHub listed no comments: ${status} ${JSON.stringify(body).slice(0, 300)}`);
      const found = comments.parse(body);
      const mine = found.find((one) => one.body?.startsWith(marker));
      if (mine !== undefined || found.length < perPage) return mine?.id;
    }
    return undefined;
  };

  const body = { body: `${marker}\n${await readFile(file, 'utf8')}` };
  const id = await existing();
  const sent = { headers, body, timeout: requestLimitMs };
  const answer =
    id === undefined
      ? await client.pathUnchecked(`${issues}/${number}/comments`).post(sent)
      : await client.pathUnchecked(`${issues}/comments/${id}`).patch(sent);
  if (answer.status !== '201' && answer.status !== '200')
    throw new Error(`GitHub took no comment: ${answer.status} ${JSON.stringify(answer.body).slice(0, 300)}`);
  console.log(id === undefined ? 'commented' : 'comment replaced');
  return 0;
});
