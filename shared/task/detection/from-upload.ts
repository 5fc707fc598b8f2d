/** What the name and the metadata of an upload say of boxes: nothing, since neither has room for them; a file beside it has. */
import type { Boxes } from './annotation.ts';

/** Folders of a detector's uploads are for whoever looks at them. */
export const fromFolder = (): undefined => undefined;

/** No name tells boxes. */
export const toFolder = (_annotation: Boxes): undefined => undefined;

/** Nor does metadata. */
export const fromMetadata = (): undefined => undefined;
