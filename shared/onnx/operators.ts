const operators = `
  Abs Add AveragePool BatchNormalization Cast Ceil Celu Clip Concat Constant Conv ConvTranspose DepthToSpace Div
  Dropout Elu Erf Exp Expand Flatten Floor Gather Gelu Gemm GlobalAveragePool GlobalMaxPool HardSigmoid HardSwish
  Identity InstanceNormalization LRN LayerNormalization LeakyRelu Log LogSoftmax MatMul Max MaxPool Min Mish Mul
  Neg PRelu Pad Pow Reciprocal ReduceMax ReduceMean ReduceMin ReduceSum Relu Reshape Resize Shape Sigmoid Slice
  Softmax Softplus SpaceToDepth Split Sqrt Squeeze Sub Sum Tanh Transpose Unsqueeze
`;

/**
 * What a served model may be made of: the operators of image classifiers, all of the default domain, none that holds a
 * subgraph, draws random numbers, or makes much from little (ConstantOfShape, Tile, Range). Pad, Resize and Expand are needed
 * and can still ask for any amount of memory, which only the probe finds out.
 */
export const allowedOperators: ReadonlySet<string> = new Set(operators.trim().split(/\s+/));

/** These hold graphs inside their attributes; deep nesting and endless loops hang the runtime. */
export const controlFlowOperators: ReadonlySet<string> = new Set(['If', 'Loop', 'Scan', 'SequenceMap']);
