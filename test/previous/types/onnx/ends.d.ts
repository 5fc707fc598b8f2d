/** What a model takes in and answers. A task kind says it for a project; validation, probe and sessions hold models to it. */
/** Channels, height and width of the picture that a model takes in. */
export interface InputShape {
  channels: number;
  height: number;
  width: number;
}
/** Float32 tensors by name. What a model answers for one picture has no dimension that counts pictures. */
export type NamedTensors = Readonly<
  Record<
    string,
    {
      data: Float32Array;
      dims: readonly number[];
    }
  >
>;
/** One output of a model: floats, whose first dimension counts pictures. */
export interface OutputEnd {
  name: string;
  /** the other dimensions; a text is one that the model chooses, the same wherever that text stands */
  shape: readonly (number | string)[];
  /** what its numbers are called, in the plural */
  are: string;
  /** what each number lies within; left out: any finite number */
  range?: {
    least: number;
    most: number;
  };
  /** what the numbers of one picture add up to; left out: anything */
  sum?: number;
  /** how far range and sum may be missed */
  tolerance?: number;
  /** how to export it, as the end of a sentence that begins with `export with output_names=[...]` */
  advice: string;
  /** what to do about a model whose numbers miss range or sum */
  repair: string;
}
export interface ModelEnds {
  /** the one input, `input` [N, channels, height, width]: floats from 0 to 255 */
  input: InputShape;
  outputs: readonly OutputEnd[];
}
/** Whether one picture's numbers are what an output gives. Not-a-number is nothing. */
export declare function isWithin(
  { range, sum, tolerance }: Pick<OutputEnd, 'range' | 'sum' | 'tolerance'>,
  values: Float32Array,
): boolean;
/** Whether a tensor has the dimensions of an output, given what the model chose for those that are named so far. */
export declare function fits(
  { shape }: Pick<OutputEnd, 'shape'>,
  dims: readonly (number | string)[],
  chosen: Map<string, number | string>,
): boolean;
/** What is wrong with the shape of a model's answer for one picture; undefined: nothing. */
export declare function misfit(ends: readonly OutputEnd[], outputs: NamedTensors): string | undefined;
