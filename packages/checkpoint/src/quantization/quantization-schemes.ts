/**
 * Lists how formats that can't be merged show in the names of tensors: each of them stores weights under names of its own, or
 * something beside a weight that a plain checkpoint never has.
 */
export const refusedByName: readonly (readonly [scheme: string, name: RegExp])[] = [
  [
    'bitsandbytes',
    /\.(SCB|weight\.absmax|weight\.quant_map|weight\.nested_absmax|weight\.quant_state\.bitsandbytes__\w+)$/,
  ],
  ['GPTQ or AWQ', /\.(qweight|qzeros)$/],
  ['compressed-tensors (packed)', /\.weight_packed$/],
  ['MXFP4', /_blocks$/],
  ['NVFP4', /\.weight_scale_2$/],
  ['EXL2', /\.q_(weight|scale|scale_max|groups|invperm)$/],
  ['EXL3', /\.(trellis|suh|svh)$/],
  ['HQQ', /\.W_q$/],
  ['AQLM', /\.(codes|codebooks)$/],
  ['VPTQ', /\.centroids\.weight$/],
  ['EETQ', /\.weight_scales$/],
  ['quanto', /\.weight\._(data|scale|shift)$/],
  ['SpQR', /\.(dense_weights|in_perm)$/],
]

/** Lists the values of quantization_config.quant_method whose float8 weights stand beside plain scales. */
export const float8Methods: readonly string[] = [
  'fp8',
  'fbgemm_fp8',
  'compressed-tensors',
  'modelopt',
  'quark',
  'fp_quant',
]

/** Lists what the scale of a tensor may be called. Each multiplies, `_scale_inv` too: the name means the inverse of the factor used for quantizing. */
export const scaleNames = (tensor: string): readonly string[] => [
  `${tensor}_scale_inv`,
  `${tensor}_scale`,
  ...(tensor.endsWith('.weight')
    ? [tensor.replace(/weight$/, 'scale_weight'), tensor.replace(/weight$/, 'qscale_weight')]
    : []),
]

/** Matches scales of activations and caches, and marks: without a use where weights are no longer quantized. */
export const leftoverName =
  /(^|[._])(input_scale|input_scale_ub|activation_scale|output_scale|scale_input|qscale_act|k_scale|v_scale|q_scale|kv_scale|prob_scale|scaled_fp8)$/
