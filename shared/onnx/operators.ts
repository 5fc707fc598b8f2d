const operators = `
  Abs Add And ArgMax ArgMin Attention AveragePool BatchNormalization Cast CastLike Ceil Celu Clip Concat Constant
  ConstantOfShape Conv ConvInteger ConvTranspose Cos CumSum DepthToSpace DequantizeLinear Div Dropout
  DynamicQuantizeLinear Einsum Elu Equal Erf Exp Expand Flatten Floor Gather GatherElements GatherND Gelu Gemm
  GlobalAveragePool GlobalMaxPool Greater GreaterOrEqual GridSample GroupNormalization HardSigmoid HardSwish
  Identity InstanceNormalization LRN LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax LpNormalization
  MatMul MatMulInteger Max MaxPool Mean Min Mish Mod Mul Neg Not Or PRelu Pad Pow QLinearConv QLinearMatMul
  QuantizeLinear RMSNormalization Range Reciprocal ReduceL1 ReduceL2 ReduceMax ReduceMean ReduceMin ReduceProd
  ReduceSum ReduceSumSquare Relu Reshape Resize RotaryEmbedding Round ScatterElements ScatterND Selu Shape Sigmoid
  Sign Sin Size Slice Softmax Softplus Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum Tanh Tile TopK Transpose
  Trilu Unsqueeze Where Xor
`;

/**
 * What a served model may be made of: the operators of models of pictures, transformers that detect among them, all of the default domain, none that holds a
 * subgraph or draws random numbers. docs/models.md lists them.
 */
export const allowedOperators: ReadonlySet<string> = new Set(operators.trim().split(/\s+/));

/** These hold graphs inside their attributes; deep nesting and endless loops hang the runtime. */
export const controlFlowOperators: ReadonlySet<string> = new Set(['If', 'Loop', 'Scan', 'SequenceMap']);

/**
 * Operators that make much from little, and which of their inputs say how much. These inputs may follow from the shape of
 * the pictures and not from their pixels: then the probe has seen all the memory that a model ever takes.
 */
export const sizeInputs: ReadonlyMap<string, readonly number[]> = new Map([
  ['ConstantOfShape', [0]],
  ['Expand', [1]],
  ['Pad', [1]],
  ['Range', [0, 1, 2]],
  ['Resize', [2, 3]],
  ['Tile', [1]],
]);

/** Their outputs follow from the shape of what they are given alone. */
export const shapeOperators: ReadonlySet<string> = new Set(['Shape', 'Size']);
