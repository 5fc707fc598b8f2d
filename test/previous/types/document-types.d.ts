/** What each container of documents holds. */
import type { WindowDocument, HeadDocument, VersionDocument } from './dataset/document.ts';
import type { DeadLetterDocument, RequestDocument } from './delivery/document.ts';
import type { EndpointDocument } from './endpoint/document.ts';
import type { EventDocument } from './event/document.ts';
import type { KeyDocument } from './key/document.ts';
import type { ModelDocument } from './model/document.ts';
import type { PredictionDocument } from './prediction/document.ts';
import type { ProjectDocument } from './project/document.ts';
import type { SampleDocument, PixelsDocument, StagedDocument } from './sample/document.ts';
import type { SchedulerDocument, RunDocument } from './training/document.ts';
import type { UploadDocument } from './upload/document.ts';
import type { DocumentContainer } from './resources.ts';
export interface DocumentTypes extends Record<
  DocumentContainer,
  {
    id: string;
    pk: string;
  }
> {
  projects: ProjectDocument;
  keys: KeyDocument;
  uploads: UploadDocument;
  samples: SampleDocument;
  pixels: PixelsDocument;
  staged: StagedDocument;
  windows: WindowDocument;
  heads: HeadDocument;
  versions: VersionDocument;
  schedulers: SchedulerDocument;
  runs: RunDocument;
  models: ModelDocument;
  endpoints: EndpointDocument;
  predictions: PredictionDocument;
  events: EventDocument;
  'dead-letters': DeadLetterDocument;
  requests: RequestDocument;
}
