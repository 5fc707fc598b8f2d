/** What operators do when something got stuck: see it, heal it now, check what is stored. */
import * as z from 'zod';
import { time } from '../../../shared/api/views/page.ts';
import { scrub } from '../../../shared/dataset/scrub.ts';
import { findStuck } from '../../../shared/project/find-stuck.ts';
import { findProject } from '../../../shared/project/find.ts';
import { sweepProject } from '../../../shared/project/sweep.ts';
import { route } from '../route.ts';

const stuckView = z.object({
  kind: z.enum(['upload', 'samples', 'version', 'training', 'batch', 'messages', 'canary', 'dead-letter']),
  id: z.string(),
  since: time,
  detail: z.string(),
  remedy: z.string(),
});

const damageView = z.object({
  blob: z.string(),
  what: z.enum(['damaged', 'missing', 'orphaned']),
  detail: z.string(),
});

export const repairRoutes = [
  route({
    name: 'stuck-list',
    method: 'GET',
    path: 'projects/{project}/stuck',
    role: 'viewer',
    summary: 'What stands still for longer than retries take, since when, why, and what mends it',
    answers: { 200: z.object({ value: z.array(stuckView) }) },
    async handle(ports, call) {
      const { document: project } = await findProject(ports, call.params.project);
      return { status: 200, json: { value: await findStuck(ports, project) } };
    },
  }),
  route({
    name: 'sweep-post',
    method: 'POST',
    path: 'projects/{project}/sweep',
    role: 'operator',
    summary: 'Heal the project now, as the timer does every 15 minutes; twice is harmless',
    answers: { 200: z.object({ problems: z.array(z.string()) }) },
    async handle(ports, call) {
      const { document: project } = await findProject(ports, call.params.project);
      return { status: 200, json: { problems: await sweepProject(ports, project) } };
    },
  }),
  route({
    name: 'scrub-post',
    method: 'POST',
    path: 'projects/{project}/scrub',
    role: 'operator',
    summary: 'Recompute digests of stored samples and of deployed models; `next` is the `from` of the next call',
    body: z
      .strictObject({
        from: z
          .string()
          .regex(/^[0-9a-f]{2}$/)
          .default('00'),
        limit: z.int().min(1).max(10_000).default(500),
      })
      .prefault({}),
    answers: {
      200: z.object({
        samples: z.number(),
        models: z.number(),
        found: z.array(damageView),
        next: z.string().nullable(),
      }),
    },
    async handle(ports, call) {
      const { document: project } = await findProject(ports, call.params.project);
      return { status: 200, json: await scrub(ports, project.id, call.body.from, call.body.limit) };
    },
  }),
];
