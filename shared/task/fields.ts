/** What answers say of annotations in the words of their kind, beside the annotations themselves. */
import type * as z from 'zod';
import { fields } from './classification/annotation.ts';
import type { Annotation, TaskKind } from './task.ts';

/** Fields of every kind: whoever adds a kind adds its own here, all of them optional then. */
export const annotationFields = fields.shape;

type Fields = { [K in keyof typeof annotationFields]: z.infer<(typeof annotationFields)[K]> };

/** The fields of an annotation. */
export const fieldsOf = (kind: TaskKind, annotation: Annotation): Fields => kind.fieldsOf(annotation) as Fields;
