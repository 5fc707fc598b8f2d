/**
 * Fails to compile when the release before cannot read what this one writes, or this one what that wrote. Types of the
 * release before are in `types/`, as `npm run record:previous` kept them. The line of an error says whether documents,
 * messages or the job contract are meant; a name in it is that of the container, queue or part.
 *
 * What to do instead: let one release read both forms and write the old one, and the next write the new one. A field that
 * is only added has to be optional.
 */
import type * as z from 'zod';
import type { DocumentTypes as AllDocumentTypes } from '../../shared/ports.ts';
import type { queueMessages as allQueueMessages } from '../../shared/delivery/message.ts';
import type { ClassifierLine } from '../../shared/task/classification/manifest.ts';
import type { JobDocument, JobReport } from '../../shared/training/job-contract.ts';
import type { DocumentTypes as AllDocumentTypesBefore } from './types/documents.d.ts';
import type { queueMessages as allQueueMessagesBefore } from './types/message.d.ts';
import type {
  JobDocument as JobDocumentBefore,
  JobReport as JobReportBefore,
  ManifestLine as ManifestLineBefore,
} from './types/training/job-contract.d.ts';

/** documents whose form changes with this release, before anybody keeps any: all that have an outbox, which names queues */
type Reshaped = Exclude<keyof AllDocumentTypes, 'events'>;
type DocumentTypes = Omit<AllDocumentTypes, Reshaped>;
type DocumentTypesBefore = Omit<AllDocumentTypesBefore, Reshaped>;
/** queues that have another name from this release on, before anybody keeps messages in them */
type QueueMessages = Omit<typeof allQueueMessages, 'trainings'>;
type QueueMessagesBefore = Omit<typeof allQueueMessagesBefore, 'training-requests'>;

type Messages<Queues> = { [Q in keyof Queues]: Queues[Q] extends z.ZodType ? z.infer<Queues[Q]> : never };
/** trainers are deployed as images of their own, before or after the functions */
interface Job {
  document: JobDocument;
  manifest: ClassifierLine;
  report: JobReport;
}
interface JobBefore {
  document: JobDocumentBefore;
  manifest: ManifestLineBefore;
  report: JobReportBefore;
}

/** Names of what is written in a form that its reader does not know; and of what the reader misses altogether. */
type Misread<Written, Read> =
  | { [K in keyof Written & keyof Read]: [Written[K]] extends [Read[K]] ? never : K }[keyof Written & keyof Read]
  | Exclude<keyof Read, keyof Written>;
type Nothing<Names extends never> = Names;

export type ReadByTheReleaseBefore = [
  Nothing<Misread<DocumentTypes, DocumentTypesBefore>>,
  Nothing<Misread<Messages<QueueMessages>, Messages<QueueMessagesBefore>>>,
  Nothing<Misread<Job, JobBefore>>,
];
/** new containers and queues are empty at first */
export type ReadByThisRelease = [
  Nothing<Misread<DocumentTypesBefore, Pick<DocumentTypes, keyof DocumentTypesBefore>>>,
  Nothing<Misread<Messages<QueueMessagesBefore>, Pick<Messages<QueueMessages>, keyof QueueMessagesBefore>>>,
  Nothing<Misread<JobBefore, Job>>,
];
