/** A project as the API shows it. */
import * as z from 'zod';
import type { ProjectDocument } from '../../project/document.ts';
import type { readStatus } from '../../project/read-status.ts';
import { projectSettings } from '../../project/settings.ts';
import { describeLookAlikes } from '../../sample/look-alikes.ts';
import { toVersionView, versionView } from './dataset.ts';
import { time } from './page.ts';

export const projectView = z.object({
  name: z.string(),
  settings: projectSettings,
  createdAt: time,
  updatedAt: time,
});

/** A project as the API shows it. */
export const toProjectView = ({
  id,
  settings,
  createdAt,
  updatedAt,
}: ProjectDocument): z.infer<typeof projectView> => ({
  ...{ name: id, settings, createdAt, updatedAt },
});

/** A project in a list: without its settings, which may name 500 classes. */
export const projectSummaryView = projectView.omit({ settings: true });

/** A project as lists show it. */
export const toProjectSummary = ({
  id,
  createdAt,
  updatedAt,
}: ProjectDocument): z.infer<typeof projectSummaryView> => ({ name: id, createdAt, updatedAt });

const warning = z.object({ code: z.string(), detail: z.string() });

/** A project with its dataset head and how much there is of everything. */
export const projectStatusView = projectView.extend({
  head: versionView.nullable(),
  training: z.object({
    /** the training that is at work */
    run: z.string().nullable(),
    /** why nothing trains; null while something does, or is about to */
    waitingFor: z.object({ code: z.string(), detail: z.string() }).nullable(),
  }),
  counts: z.object({
    uploads: z.object({
      ...{ received: z.number(), accepted: z.number(), duplicate: z.number(), conflict: z.number() },
      ...{ unlabelled: z.number(), quarantined: z.number(), superseded: z.number() },
    }),
    ...{ samples: z.number(), versions: z.number(), trainings: z.number(), models: z.number() },
  }),
  /** what is allowed and hardly meant: classes that look alike */
  warnings: z.array(warning),
});

/** Where a project stands. */
export const toProjectStatusView = ({
  project,
  head,
  run,
  waitingFor,
  counts,
  lookAlikes,
}: Awaited<ReturnType<typeof readStatus>>): z.infer<typeof projectStatusView> => ({
  ...toProjectView(project.document),
  head: head === null ? null : toVersionView(head),
  training: { run, waitingFor },
  counts,
  warnings: lookAlikes.map((group) => ({ code: 'look-alike-classes', detail: describeLookAlikes(group) })),
});
