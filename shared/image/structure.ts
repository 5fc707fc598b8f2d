/**
 * What the structural walk of an image file finds, and the closed list of what can be wrong with one.
 * Vocabulary of everything in shared/image; holds no logic beyond building values.
 */

/** Every reason an image can be refused for. `detail` of the refusal says the rest in a sentence. */
export const imageProblems = [
  'empty',
  'too-large-bytes',
  'not-an-image',
  'unsupported-format',
  'truncated',
  'corrupt',
  'trailing-data',
  'animated',
  'too-many-pixels',
  'too-many-scans',
  'too-many-parts',
  'decode-timeout',
  'decode-failed',
] as const;
export type ImageProblem = (typeof imageProblems)[number];

/** A refused image: the reason for programs, one or two sentences (what, why, what next) for people. */
export type ImageRefusal = { ok: false; reason: ImageProblem; detail: string };

export type ImageFormat = 'png' | 'jpeg' | 'webp';

/** EXIF orientation: 1 upright, 2-8 mirrored or turned (CIPA DC-008, tag 0x0112); 5-8 swap width and height. */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

/** Bytes `start` (included) to `end` (excluded) become `replacement`, or vanish where there is none. */
export type ByteEdit = { start: number; end: number; replacement?: Buffer };

/** A file whose container is sound. Sizes are those stored in the file, before orientation is applied. */
export type ImageStructure = {
  ok: true;
  format: ImageFormat;
  /** pixels, as stored */
  width: number;
  /** pixels, as stored */
  height: number;
  /** colour channels after conversion to sRGB or grey, plus one for alpha */
  channels: 1 | 2 | 3 | 4;
  /** bits of a decoded sample */
  depth: 8 | 16;
  orientation: Orientation;
  /** bytes that its decoder holds of the whole picture at once; 0 where it goes row by row */
  heldBytes: number;
  /** bytes behind the end of the picture; `sanitise` cuts them off */
  trailingBytes: number;
  /** what `sanitise` changes: metadata cut out, the orientation kept in a minimal EXIF; sorted, not overlapping */
  metadataEdits: ByteEdit[];
};

/** A sentence end shared by refusals that most often come from an interrupted upload. */
export const uploadAgain = 'The file was probably cut short or damaged on its way: upload it again from the original.';
/** A sentence end shared by refusals that a plain re-save by any image program cures. */
export const saveAgain = 'Open it in an image program, save it anew as PNG, JPEG or WebP, and upload that copy.';

/** Builds a refusal. */
export function refuse(reason: ImageProblem, detail: string): ImageRefusal {
  return { ok: false, reason, detail };
}
