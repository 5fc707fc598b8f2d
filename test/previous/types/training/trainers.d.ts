/**
 * The trainers of a platform and the parameters that they take, as JSON Schema: what a trainer prints when it is run with
 * `--describe`, and what the setting TRAINERS holds. Asking for a training is refused here, not by a job minutes later.
 */
import * as z from 'zod';
/** What `--describe` prints: one or more trainers. One without `parameters` takes any. */
export declare const trainerDescriptions: z.ZodObject<
  {
    trainers: z.ZodArray<
      z.ZodObject<
        {
          name: z.ZodString;
          parameters: z.ZodOptional<
            z.ZodObject<
              {
                type: z.ZodLiteral<'object'>;
                properties: z.ZodOptional<z.ZodRecord<z.ZodString, z.ZodObject<{}, z.core.$loose>>>;
              },
              z.core.$loose
            >
          >;
        },
        z.core.$strip
      >
    >;
  },
  z.core.$strip
>;
export type TrainerDescription = z.infer<typeof trainerDescriptions>['trainers'][number];
/** Most bytes of a description: of what a program prints, and of an app setting. */
export declare const maxDescriptionBytes: number;
export interface Trainers {
  described: readonly TrainerDescription[];
  /** whether there are no others; where nobody said so, one that is not described may be known to the job image */
  isComplete: boolean;
}
/** What the trainers of this repository publish. */
export declare const builtInDescriptions: TrainerDescription[];
/** The built-in ones, where nothing says which there are. */
export declare const unknownTrainers: Trainers;
/** Reads the setting TRAINERS: `built-in`, or a description as JSON; both name all that there are. Throws a ZodError or a SyntaxError. */
export declare function readTrainers(setting: string): Trainers;
type Asked = {
  name: string;
  parameters: Record<string, number | string | boolean>;
};
export type TrainerCheck =
  | {
      ok: true;
      note?: string;
    }
  | {
      ok: false;
      code: 'unknown-trainer' | 'invalid-parameters';
      detail: string;
    };
/** Whether there is such a trainer and it takes such parameters; a note where that cannot be known. */
export declare function checkTrainer({ described, isComplete }: Trainers, { name, parameters }: Asked): TrainerCheck;
export {};
