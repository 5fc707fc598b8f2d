/** Images and models of the simulation: small texts that decode, train and infer in no time, deterministically. */
import * as z from 'zod';
import type { BackendPorts } from '../../functions/triggers.ts';
import type { AcceptedImage, PreprocessedImage } from '../../shared/image/decode.ts';
import type { ImageRefusal } from '../../shared/image/structure.ts';
import { misfit } from '../../shared/onnx/ends.ts';
import type { Infer } from '../../shared/prediction/inference.ts';
import { acceptedImage } from '../shared/image/accepted.ts';
import { codeOf, type SimulatedKind, simulatedKinds } from './kinds.ts';
import type { Scheduler } from './scheduler.ts';

const picture = z.object({
  number: z.number(),
  truth: z.string(),
  width: z.number(),
  height: z.number(),
  channels: z.union([z.literal(1), z.literal(3)]),
});
export type Picture = z.infer<typeof picture>;

const model = z.object({
  trained: z.literal(true),
  task: z.string(),
  classes: z.array(z.string()),
  accuracy: z.number(),
  seed: z.number(),
});
export type Model = z.infer<typeof model>;

/** What an upload holds: the same picture saved by another program has the same pixels and other bytes. */
export const drawPicture = (content: Picture, program = 0): Buffer =>
  Buffer.from(JSON.stringify(content) + ' '.repeat(program));
/** The digest of what an upload shows; undefined where it is no image. */
export function shownBy(body: Buffer): string | undefined {
  const shown = parse(picture, body);
  return shown === undefined ? undefined : acceptedImage(body, shown, JSON.stringify(shown)).pixelDigest;
}
/** What a picture shows; undefined: it is none. */
export const readPicture = (body: Buffer): Picture | undefined => parse(picture, body);
/** Bytes that are no image. */
export const drawTrash = (number: number): Buffer => Buffer.from(`trash ${number}`);

/** What a training leaves behind. */
export const modelBytes = (made: Omit<Model, 'trained'>): Buffer =>
  Buffer.from(JSON.stringify({ trained: true, ...made }));

function parse<T>(type: z.ZodType<T>, bytes: Buffer): T | undefined {
  try {
    return type.safeParse(JSON.parse(bytes.toString('utf8'))).data;
  } catch {
    return undefined;
  }
}

/** Pixels: the picture's number, and what it shows as a word and as a number. */
const pixelsOf = ({ number, truth }: Picture): Float32Array =>
  Float32Array.of(number, codeOf(truth), Number.parseFloat(truth));

const kindOf = ({ task }: Model): SimulatedKind => {
  const kind = simulatedKinds.get(task);
  if (kind === undefined) throw new Error(`nobody simulates models of the task kind ${task}`);
  return kind;
};

/** What a training program keeps of its validation answers. */
export function smokeAnswer(bytes: Buffer, image: Buffer): object {
  const [trained, shown] = [parse(model, bytes), parse(picture, image)];
  if (trained === undefined || shown === undefined) return {};
  const kind = kindOf(trained);
  return kind.keep(kind.answer(trained, pixelsOf(shown)), trained);
}

/** Decode, inference and validation of one process; models are kept in memory as the real cache keeps them. */
export function createEyes(
  scheduler: Pick<Scheduler, 'perform'>,
): Pick<
  BackendPorts,
  'inspect' | 'preprocess' | 'draw' | 'toTensor' | 'infer' | 'inferServed' | 'inferPinned' | 'validate'
> {
  const loaded = new Map<string, Model>();
  const decode = (bytes: Buffer) =>
    scheduler.perform('decode', '', 'read', (): (AcceptedImage & PreprocessedImage) | ImageRefusal => {
      const shown = parse(picture, bytes);
      if (shown === undefined) return { ok: false, reason: 'not-an-image', detail: 'These bytes are no image.' };
      return { ...acceptedImage(bytes, shown, JSON.stringify(shown)), tensor: pixelsOf(shown) };
    });
  const infer: Infer = async (digest, load, tensors) => {
    let known = loaded.get(digest);
    if (known === undefined) {
      known = parse(model, await load());
      if (known === undefined) throw new Error('this is no model');
      loaded.set(digest, known);
    }
    const kept = known;
    return scheduler.perform('infer', digest.slice(0, 8), 'read', () =>
      tensors.map((pixels) => kindOf(kept).answer(kept, pixels)),
    );
  };
  return {
    inspect: decode,
    preprocess: decode,
    // users of the simulator look at no picture
    draw: () => Promise.reject(new Error('nothing is drawn here')),
    toTensor: (bytes) => {
      const shown = parse(picture, bytes);
      return shown === undefined
        ? Promise.reject(new Error('a sample cannot be decoded'))
        : Promise.resolve(pixelsOf(shown));
    },
    infer,
    inferServed: infer,
    inferPinned: infer,
    validate(bytes, { outputs }) {
      const read = parse(model, bytes);
      const problem =
        read === undefined ? 'they are none' : misfit(outputs, kindOf(read).answer(read, Float32Array.of()));
      return Promise.resolve(
        problem === undefined
          ? { ok: true, metadata: {} }
          : { ok: false, reason: 'not-onnx', detail: `These bytes are no model of the project: ${problem}.` },
      );
    },
  };
}
