/** What the name and the metadata of an upload say of boxes: nothing, since neither has room for them. */
import type { Boxes } from './annotation.ts';
/** Folders of a detector's uploads are for whoever looks at them. */
export declare const fromFolder: () => undefined;
/** No name tells boxes. */
export declare const toFolder: (_annotation: Boxes) => undefined;
/** Nor does metadata. */
export declare const fromMetadata: () => undefined;
