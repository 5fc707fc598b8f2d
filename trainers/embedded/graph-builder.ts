/**
 * Builds ONNX graphs and derives them: every operation of layers.ts adds its nodes and, where a parameter lies behind it,
 * how its gradient flows back. `backward` then adds the nodes of the gradients (reverse-mode differentiation).
 */
import type { Attribute, Initialiser, OnnxNode } from '../../shared/onnx/encode.ts';
import type { GraphParts } from '../../shared/onnx/parts.ts';

export interface Value {
  name: string;
  shape: number[];
}

/** A four-dimensional shape: images, channels, rows, columns. Throws for any other. */
export function shape4(value: Value): [number, number, number, number] {
  const [n, c, h, w, more] = value.shape;
  if (n === undefined || c === undefined || h === undefined || w === undefined || more !== undefined) {
    throw new Error(`${value.name} has the shape [${value.shape.join(', ')}] instead of four dimensions`);
  }
  return [n, c, h, w];
}

/** A two-dimensional shape: rows, columns. Throws for any other. */
export function shape2(value: Value): [number, number] {
  const [rows, columns, more] = value.shape;
  if (rows === undefined || columns === undefined || more !== undefined) {
    throw new Error(`${value.name} has the shape [${value.shape.join(', ')}] instead of two dimensions`);
  }
  return [rows, columns];
}

export class GraphBuilder {
  readonly nodes: (OnnxNode | Uint8Array)[] = [];
  readonly initialisers: (Initialiser | Uint8Array)[] = [];
  private readonly tape: { output: Value; pullBack: (gradient: Value) => void }[] = [];
  private readonly gradients = new Map<string, Value>();
  private readonly constants = new Map<string, Value>();
  /** names of the values a parameter lies behind: only these have gradients */
  private readonly trainable = new Set<string>();

  /** Declares a value that training changes: `length` numbers from `offset` of the graph's input `parameters`. */
  parameter(name: string, shape: number[], offset: number, length: number): Value {
    const [from, to] = [this.integers([offset]), this.integers([offset + length])];
    const slice = this.node('Slice', [{ name: 'parameters', shape: [] }, from, to], [length]);
    this.nodes.push({ op: 'Reshape', inputs: [slice.name, this.integers(shape).name], outputs: [name] });
    this.trainable.add(name);
    return { name, shape };
  }

  isTrainable(value: Value): boolean {
    return this.trainable.has(value.name);
  }

  /** Adds one node and returns its output. */
  node(op: string, inputs: Value[], shape: number[], attributes?: Record<string, Attribute>): Value {
    const name = `${op}_${this.nodes.length}`;
    const node = { op, inputs: inputs.map((input) => input.name), outputs: [name] };
    this.nodes.push(attributes === undefined ? node : { ...node, attributes });
    return { name, shape };
  }

  /** Adds another model whole; it takes the values that are named as its inputs, and what it makes has its own names. */
  include({ nodes, initialisers }: GraphParts): void {
    this.nodes.push(...nodes);
    this.initialisers.push(...initialisers);
  }

  /** Gives a value a name of our choice (for graph outputs). */
  alias(value: Value, name: string): void {
    this.nodes.push({ op: 'Identity', inputs: [value.name], outputs: [name] });
  }

  private constant(key: string, dims: number[], data: Float32Array | BigInt64Array): Value {
    const known = this.constants.get(key);
    if (known !== undefined) return known;
    const value = { name: `constant_${this.constants.size}`, shape: dims };
    this.constants.set(key, value);
    this.initialisers.push({ name: value.name, dims, data });
    return value;
  }

  /** A one-dimensional integer constant: shapes, axes. */
  integers(values: readonly number[]): Value {
    return this.constant(`i${values.join()}`, [values.length], BigInt64Array.from(values, BigInt));
  }

  scalar(value: number): Value {
    return this.constant(`f${value}`, [], Float32Array.of(value));
  }

  /** A fixed tensor, known by its name. */
  tensor(name: string, dims: number[], data: Float32Array): Value {
    return this.constant(`t${name}`, dims, data);
  }

  reshape(value: Value, shape: number[]): Value {
    return this.node('Reshape', [value, this.integers(shape)], shape);
  }

  /** Notes how the gradient of `output` flows back to `inputs`; forgets it where none of them is trainable. */
  record(output: Value, inputs: Value[], pullBack: (gradient: Value) => void): Value {
    if (!inputs.some((input) => this.isTrainable(input))) return output;
    this.trainable.add(output.name);
    this.tape.push({ output, pullBack });
    return output;
  }

  /** Adds to the gradient of a value. */
  accumulate(value: Value, gradient: Value): void {
    if (!this.isTrainable(value)) return;
    const sum = this.gradients.get(value.name);
    this.gradients.set(value.name, sum === undefined ? gradient : this.node('Add', [sum, gradient], value.shape));
  }

  /** Adds the nodes of all gradients, from the last operation to the first. */
  backward(): void {
    for (const { output, pullBack } of this.tape.toReversed()) {
      const gradient = this.gradients.get(output.name);
      if (gradient !== undefined) pullBack(gradient);
    }
  }

  /** The gradient of a parameter after `backward`. Throws where the loss does not depend on it. */
  gradientOf(value: Value): Value {
    const gradient = this.gradients.get(value.name);
    if (gradient === undefined) throw new Error(`${value.name} has no gradient`);
    return gradient;
  }
}
