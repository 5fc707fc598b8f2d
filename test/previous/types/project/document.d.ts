/** The document of a project. */
import type { DocumentBase } from '../delivery/document.ts';
import type { ProjectSettings } from './settings.ts';
/** pk: `projects` */
export interface ProjectDocument extends DocumentBase {
  settings: ProjectSettings;
  createdAt: string;
  updatedAt: string;
}
