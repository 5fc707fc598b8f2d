import type { Reason } from '../task.ts';
import type { Labelled } from './annotation.ts';
/** The label that a name has between project and file, or why that is none. */
export declare function fromFolder(text: string):
  | {
      annotation: Labelled;
    }
  | {
      why: string;
    };
/** A label as the part of a blob's name, or the metadata, that is read as that label. */
export declare const toFolder: ({ label }: Labelled) => string;
/** The label in a blob's metadata (`x-ms-meta-label`), or why that is none; undefined where there is no such entry. */
export declare function fromMetadata(metadata: Record<string, string>):
  | {
      annotation: Labelled;
    }
  | {
      problem: Reason;
    }
  | undefined;
