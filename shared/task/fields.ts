/** What answers say of annotations in the words of their kind, beside the annotations themselves. */
import * as z from 'zod';
import { fields, labelled } from './classification/annotation.ts';
import { boxChanges } from './detection/views.ts';
import type { Annotation, TaskKind } from './task.ts';

/** Fields of every kind, of which an answer has those of its own; whoever adds a kind with fields adds them here. */
export const annotationFields = fields.partial().shape;

/** The same of what may have no annotation. */
export const annotationFieldsOrNull = { label: fields.shape.label.nullable().optional() };

/** What changed between two annotations of a sample, where its kind says more than what the first one was. */
export const annotationChanges = { boxes: boxChanges.optional() };

type Fields = { [K in keyof typeof annotationFields]: z.infer<(typeof annotationFields)[K]> };

/** The fields of an annotation. */
export const fieldsOf = (kind: TaskKind, annotation: Annotation): Fields => kind.fieldsOf(annotation) as Fields;

/** The fields of what may have no annotation. */
export const fieldsOrNull = (kind: TaskKind, annotation: Annotation | null) =>
  kind.fieldsOf(annotation) as { [K in keyof Fields]: Fields[K] | null };

/** An annotation as a body has it, before the project's kind has looked at it. */
export const givenObject = z.record(z.string().max(100), z.unknown());

/** A classifier's annotation as a body of its own. */
export const labelBody = labelled;

/** Fields by which a body may say an annotation in the words of a kind, instead of the annotation itself. */
export const givenFields = labelled.partial().shape;

/** The annotation that such fields say; undefined: none. */
export const givenAnnotation = ({ label }: { label?: string | undefined }): Annotation | undefined =>
  label === undefined ? undefined : { label };
