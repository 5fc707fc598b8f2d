/** Decides, without running anything, whether bytes are a model that may be handed to onnxruntime. */
import { maxModelBytes } from '../model/artifact.ts';
import { checkGraph, type TensorInfo } from './graph-check.ts';
import { fits, type ModelEnds } from './ends.ts';
import { bytesOf, intOf, messageFields, Refusal, stringOf, walk, type Field, type Range } from './protobuf.ts';

type Validation = { ok: true; metadata: Record<string, string> } | { ok: false; reason: string; detail: string };

/**
 * At most what onnxruntime 1.30 runs (test/shared/onnx/versions.test.ts tries it). At least what is tested: IR 7 came with
 * opset 12, and onnxruntime takes odd versions without a word.
 */
export const irVersions = { least: 7, most: 13 };
export const opsets = { least: 13, most: 26 };
const maxMetadata = { entries: 200, keyBytes: 1000, valueBytes: 200_000 };
const floatType = 1;

const modelFields = messageFields([1, 2, 3, 4, 5, 6, 7], [8, 14, 20, 25, 26]);
const opsetFields = messageFields([1, 2], []);
const entryFields = messageFields([1, 2], []);

interface ModelContent {
  irVersion: number;
  /** default domain's version; 0 when not declared */
  opset: number;
  graph: Range | undefined;
  metadata: Map<string, string>;
}

function visitOpset(bytes: Uint8Array, range: Range, model: ModelContent): void {
  let domain = '';
  let version = 0;
  walk(bytes, range, 'OperatorSetIdProto', opsetFields, (field) => {
    if (field.number === 1) domain = stringOf(bytes, field, 200);
    else version = intOf(bytes, field);
  });
  // exporters import domains that they do not use; a node of one is refused
  if (domain !== '' && domain !== 'ai.onnx') return;
  if (model.opset !== 0) throw new Refusal('unsupported-opset', 'the default operators are imported twice');
  model.opset = version;
}

function visitMetadata(bytes: Uint8Array, range: Range, model: ModelContent): void {
  let key = '';
  let value = '';
  walk(bytes, range, 'StringStringEntryProto', entryFields, (field) => {
    if (field.number === 1) key = stringOf(bytes, field, maxMetadata.keyBytes);
    else value = stringOf(bytes, field, maxMetadata.valueBytes);
  });
  if (model.metadata.has(key)) throw new Refusal('malformed', `metadata ${key} comes twice`);
  if (model.metadata.size === maxMetadata.entries) {
    throw new Refusal('too-large', `more than ${maxMetadata.entries} metadata entries`);
  }
  model.metadata.set(key, value);
}

function visitModelField(bytes: Uint8Array, field: Field, model: ModelContent): void {
  switch (field.number) {
    case 1:
      model.irVersion = intOf(bytes, field);
      return;
    case 7:
      model.graph = bytesOf(field);
      return;
    case 8:
      visitOpset(bytes, bytesOf(field), model);
      return;
    case 14:
      visitMetadata(bytes, bytesOf(field), model);
      return;
    case 20:
      throw new Refusal('control-flow', 'the model carries training information; export it for inference');
    case 25:
      throw new Refusal(
        'control-flow',
        'the model defines functions; inline them (onnx.inliner) before it is uploaded',
      );
    case 26:
      throw new Refusal('unsupported-type', 'the model configures devices; export it without');
    default: // producer, version, domain, doc string
  }
}

function checkVersions(model: ModelContent): void {
  const { irVersion, opset } = model;
  if (!(irVersion >= irVersions.least && irVersion <= irVersions.most)) {
    throw new Refusal(
      'unsupported-ir',
      `IR version ${irVersion} is not ${irVersions.least} to ${irVersions.most}; set ir_version before it is saved, or export with another version of onnx`,
    );
  }
  if (opset === 0) throw new Refusal('unsupported-opset', 'the model does not import the default operators');
  if (!(opset >= opsets.least && opset <= opsets.most)) {
    throw new Refusal(
      'unsupported-opset',
      `opset ${opset} is not ${opsets.least} to ${opsets.most}; export with opset_version=17, say`,
    );
  }
}

type Wanted = { name: string; shape: readonly (number | string)[]; mostChosen?: number };

/** Float tensors of the given names, whose first dimension is left open; those of `optional` may be there as well. Throws a Refusal that ends with `advice`. */
function checkEnds(
  found: TensorInfo[],
  { wanted, optional = [] }: { wanted: readonly Wanted[]; optional?: readonly Wanted[] | undefined },
  reason: 'wrong-input' | 'wrong-output',
  advice: string,
): void {
  const chosen = new Map<string, number | string>();
  const besides = optional.filter(({ name }) => found.some((end) => end.name === name));
  const fit = [...wanted, ...besides].every((one) => {
    const end = found.find(({ name }) => name === one.name);
    if (end?.elementType !== floatType || typeof end.shape[0] !== 'string') return false;
    return fits(one, end.shape.slice(1), chosen);
  });
  if (fit && found.length === wanted.length + besides.length) return;
  const described = found
    .slice(0, wanted.length + optional.length + 2)
    .map((e) => `${e.name.slice(0, 50)} (type ${e.elementType}) [${e.shape.join(', ').slice(0, 100)}]`);
  const say = (ends: readonly Wanted[]): string =>
    ends.map(({ name, shape }) => `${name} [N, ${shape.join(', ')}]`).join(' and ');
  const tensors = wanted.length === 1 ? 'one float tensor' : `${wanted.length} float tensors`;
  throw new Refusal(
    reason,
    `expected ${tensors} ${say(wanted)} with N left open${optional.length === 0 ? '' : ` (and, if you like, ${say(optional)})`}, found ${described.join('; ') || 'none'}; ${advice}`,
  );
}

const inputAdvice =
  'export with input_names=["input"], the first dimension dynamic, and the size and channels of the project (a model that was trained elsewhere may say its own: image=...)';

function check(bytes: Uint8Array, ends: ModelEnds, maxBytes: number): Record<string, string> {
  if (bytes.length > maxBytes) throw new Refusal('too-large', `${bytes.length} bytes are more than ${maxBytes}`);
  const model: ModelContent = { irVersion: 0, opset: 0, graph: undefined, metadata: new Map() };
  walk(bytes, { start: 0, end: bytes.length }, 'ModelProto', modelFields, (field) =>
    visitModelField(bytes, field, model),
  );
  if (model.graph === undefined) throw new Refusal('malformed', 'the file has no graph');
  checkVersions(model);
  const { inputs, outputs } = checkGraph(bytes, model.graph);
  const { channels, height, width } = ends.input;
  checkEnds(inputs, { wanted: [{ name: 'input', shape: [channels, height, width] }] }, 'wrong-input', inputAdvice);
  const names = JSON.stringify(ends.outputs.map(({ name }) => name));
  const advice = ends.outputs.map((output) => output.advice).join('; ');
  const outputAdvice = `export with output_names=${names}, the first dimension dynamic, ${advice}`;
  checkEnds(outputs, { wanted: ends.outputs, optional: ends.optional }, 'wrong-output', outputAdvice);
  return Object.fromEntries(model.metadata);
}

/**
 * Refuses whatever is not plainly an ONNX model of pictures with these ends: external data, custom operators, control
 * flow, functions, operators beyond the allow-list, sizes that are computed from pixels, non-finite weights, odd versions, oversize. Never throws, on any bytes.
 * Input must be `input` float [N, channels, height, width], outputs those of `ends` with or without the optional ones, nothing besides.
 * A model that passes can still be too slow or too large at run time: `probeModel` comes next.
 */
export function validateModel(bytes: Uint8Array, ends: ModelEnds, maxBytes = maxModelBytes): Validation {
  try {
    return { ok: true, metadata: check(bytes, ends, maxBytes) };
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, reason: error.reason, detail: error.message.slice(0, 500) };
    return { ok: false, reason: 'malformed', detail: 'the file cannot be read' };
  }
}
