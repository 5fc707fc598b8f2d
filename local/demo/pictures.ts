/** The pictures a demo works with, whatever their source. */
import type { ProjectSettingsInput } from '../../shared/project/settings.ts';

export const contentTypes = ['image/png', 'image/jpeg', 'image/webp', 'image/tiff'] as const;

export interface Picture {
  label: string;
  /** file name, different from all others of the same label */
  name: string;
  contentType: (typeof contentTypes)[number];
  bytes(): Promise<Buffer>;
}

export interface PictureSet {
  /** what they show, for the story */
  what: string;
  project: string;
  /** only what these pictures need; everything else keeps its default */
  settings: ProjectSettingsInput;
  /** what somebody else would have trained, and why that is asked for in the end */
  retraining: { question: string; trainer: { name: string; parameters?: Record<string, string> } };
  /** what a reader should know of them before the story, a line each */
  notes: string[];
  /** first upload, second upload, and what no model gets to see before it is scored */
  first: Picture[];
  second: Picture[];
  holdout: Picture[];
  /** least share of the holdout that the live model must get right; null: no promise for pictures we do not know */
  leastAccuracy: number | null;
}
