/**
 * Fails to compile when the release before cannot read what this one writes, or this one what that wrote. Types of the
 * release before are in `types/`, as `npm run record:previous` kept them. The line of an error says whether documents,
 * messages or the job contract are meant; a name in it is that of the container, queue or part.
 *
 * What to do instead: let one release read both forms and write the old one, and the next write the new one. A field that
 * is only added has to be optional.
 */
import type * as z from 'zod';
import type { queueMessages } from '../../shared/delivery/message.ts';
import type { DocumentTypes } from '../../shared/document-types.ts';
import type { Labelled } from '../../shared/task/classification/annotation.ts';
import type { ClassVerdict } from '../../shared/task/classification/gate.ts';
import type { ClassifierLine } from '../../shared/task/classification/manifest.ts';
import type { Compared, Measured } from '../../shared/task/classification/metrics.ts';
import type { ClassPrediction } from '../../shared/task/classification/prediction.ts';
import type { KeptProbabilities } from '../../shared/task/classification/smoke.ts';
import type { JobDocument, JobReport } from '../../shared/training/job-contract.ts';
import type { queueMessages as queueMessagesBefore } from './types/delivery/message.d.ts';
import type { DocumentTypes as DocumentTypesBefore } from './types/document-types.d.ts';
import type { Labelled as LabelledBefore } from './types/task/classification/annotation.d.ts';
import type { ClassVerdict as ClassVerdictBefore } from './types/task/classification/gate.d.ts';
import type { ClassifierLine as ClassifierLineBefore } from './types/task/classification/manifest.d.ts';
import type { Compared as ComparedBefore, Measured as MeasuredBefore } from './types/task/classification/metrics.d.ts';
import type { ClassPrediction as ClassPredictionBefore } from './types/task/classification/prediction.d.ts';
import type { KeptProbabilities as KeptProbabilitiesBefore } from './types/task/classification/smoke.d.ts';
import type {
  JobDocument as JobDocumentBefore,
  JobReport as JobReportBefore,
} from './types/training/job-contract.d.ts';

type Messages<Queues> = { [Q in keyof Queues]: Queues[Q] extends z.ZodType ? z.infer<Queues[Q]> : never };
/** trainers are deployed as images of their own, before or after the functions */
interface Job {
  document: JobDocument;
  manifest: ClassifierLine;
  report: JobReport;
}
interface JobBefore {
  document: JobDocumentBefore;
  manifest: ClassifierLineBefore;
  report: JobReportBefore;
}
/** what documents keep of a classifier, and hold to be any JSON */
interface Classifier {
  annotation: Labelled;
  assessment: Compared;
  metrics: Measured;
  verdict: ClassVerdict;
  prediction: ClassPrediction;
  smoke: KeptProbabilities;
}
interface ClassifierBefore {
  annotation: LabelledBefore;
  assessment: ComparedBefore;
  metrics: MeasuredBefore;
  verdict: ClassVerdictBefore;
  prediction: ClassPredictionBefore;
  smoke: KeptProbabilitiesBefore;
}

/** Names of what is written in a form that its reader does not know; and of what the reader misses altogether. */
type Misread<Written, Read> =
  | { [K in keyof Written & keyof Read]: [Written[K]] extends [Read[K]] ? never : K }[keyof Written & keyof Read]
  | Exclude<keyof Read, keyof Written>;
type Nothing<Names extends never> = Names;

export type ReadByTheReleaseBefore = [
  Nothing<Misread<DocumentTypes, DocumentTypesBefore>>,
  Nothing<Misread<Messages<typeof queueMessages>, Messages<typeof queueMessagesBefore>>>,
  Nothing<Misread<Job, JobBefore>>,
  Nothing<Misread<Classifier, ClassifierBefore>>,
];
/** new containers and queues are empty at first */
export type ReadByThisRelease = [
  Nothing<Misread<DocumentTypesBefore, Pick<DocumentTypes, keyof DocumentTypesBefore>>>,
  Nothing<
    Misread<
      Messages<typeof queueMessagesBefore>,
      Pick<Messages<typeof queueMessages>, keyof typeof queueMessagesBefore>
    >
  >,
  Nothing<Misread<JobBefore, Job>>,
  Nothing<Misread<ClassifierBefore, Classifier>>,
];
