/** What a detector says of itself in the ONNX file's `metadata_props`. */
import * as z from 'zod';
/** IoU above which the less sure of two detections of a class is left out, and the least score of what is answered. */
export interface DetectorMetadata {
  nmsIou: number;
  scoreThreshold: number;
}
/** The two entries, which a model may lack; others are none of ours. */
export declare const metadata: z.ZodPipe<
  z.ZodObject<
    {
      nms_iou: z.ZodDefault<z.ZodPipe<z.ZodPipe<z.ZodString, z.ZodTransform<number, string>>, z.ZodNumber>>;
      score_threshold: z.ZodDefault<z.ZodPipe<z.ZodPipe<z.ZodString, z.ZodTransform<number, string>>, z.ZodNumber>>;
    },
    z.core.$strip
  >,
  z.ZodTransform<
    DetectorMetadata,
    {
      nms_iou: number;
      score_threshold: number;
    }
  >
>;
