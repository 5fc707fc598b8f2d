/** What a detector says of itself in the ONNX file's `metadata_props`. */
import * as z from 'zod';

/** A share as the text that ONNX keeps. */
const shareText = z
  .string()
  .trim()
  .regex(/^(\d+\.?\d*|\.\d+)(e-?\d+)?$/i, 'is no number')
  .transform(Number)
  .pipe(z.number('is no number').min(0, 'is less than 0').max(1, 'is more than 1'));

/** IoU above which the less sure of two detections of a class is left out, and the least score of what is answered. */
export interface DetectorMetadata {
  nmsIou: number;
  scoreThreshold: number;
}

/** The two entries, which a model may lack; others are none of ours. */
export const metadata = z
  .object({ nms_iou: shareText.default(0.6), score_threshold: shareText.default(0.3) })
  .transform((entries): DetectorMetadata => ({ nmsIou: entries.nms_iou, scoreThreshold: entries.score_threshold }));
