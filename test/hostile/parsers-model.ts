/** Parsers of binary files of our own making that others may have touched: models, and nodes of versions. */
import * as fc from 'fast-check';
import { encodeModel } from '../../shared/onnx/encode.ts';
import { validateModel } from '../../shared/onnx/validate.ts';
import { RetryLater } from '../../shared/errors.ts';
import { applyEdits } from '../../shared/dataset/edit.ts';
import { decodeNode, encodeNode } from '../../shared/dataset/codec.ts';
import { keyOf, MemoryStore, sample } from '../shared/dataset/samples.ts';
import { tinyModel, tinyEnds } from '../shared/onnx/tiny-model.ts';
import { type Parser, parser } from './fuzz.ts';
import { anyBytes, damaged } from './mutate.ts';

const reasons = new Set([
  ...['malformed', 'too-large', 'custom-operator', 'operator-not-allowed', 'control-flow', 'external-data'],
  ...['non-finite-weights', 'unsupported-ir', 'unsupported-opset', 'unsupported-type', 'duplicate-initialiser'],
  ...['wrong-input', 'wrong-output', 'size-from-pixels'],
]);

function validate(bytes: Buffer): void {
  const result = validateModel(bytes, tinyEnds);
  if (result.ok) return;
  if (!reasons.has(result.reason)) throw new Error(`${result.reason} is no reason`);
  if (result.detail.length === 0 || result.detail.length > 500) throw new Error('no detail, or one that is too long');
}

/** A node is read as it was written or refused in a sentence; never half, never as another. */
function node(bytes: Buffer): void {
  let read;
  try {
    read = decodeNode(bytes);
  } catch (error) {
    if (error instanceof RetryLater || (error instanceof Error && error.constructor === Error)) return;
    throw error;
  }
  encodeNode(read);
}

/** Parsers of models. */
export async function modelParsers(): Promise<Parser[]> {
  const store = new MemoryStore();
  await applyEdits(
    store,
    null,
    Array.from({ length: 600 }, (_, n) => ({ key: keyOf(n), record: sample(n) })),
    { task: 'classification' },
  );
  const nodes = [...store.nodes.values()];
  const models = [encodeModel(tinyModel()), encodeModel({ ...tinyModel(1), metadata: {} })].map((m) => Buffer.from(m));
  return [
    parser('ONNX', fc.oneof({ arbitrary: damaged(models), weight: 3 }, anyBytes(models)), validate),
    parser('nodes of a version', fc.oneof({ arbitrary: damaged(nodes), weight: 3 }, anyBytes(nodes)), node),
  ];
}
