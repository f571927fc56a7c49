import type { Dtype } from '@mk/safetensors'

/** What shows a scheme whose weights can't be merged. */
interface Evidence {
  readonly scheme: string
  /** Matches names that a plain checkpoint never has: weights under another name, or something beside them. */
  readonly name?: RegExp
  /** Matches weights; they are codes of the scheme if they are integers and have one of these beside them. */
  readonly codes?: { readonly name: RegExp; readonly beside: readonly string[] }
}

/** Lists how formats that can't be merged show in the names and dtypes of tensors, whatever the config says; the first row that fits counts. */
export const evidence: readonly Evidence[] = [
  {
    scheme: 'bitsandbytes',
    name: /\.(SCB|weight_format|(weight\.)?(absmax|quant_map|nested_absmax|nested_quant_map|quant_state(\.bitsandbytes__\w+)?))$/,
  },
  { scheme: 'Marlin', name: /\.marlin_\w+$/ },
  { scheme: 'GPTQ or AWQ', name: /\.(qweight|qzeros|g_idx)$/ },
  { scheme: 'compressed-tensors (packed)', name: /\.weight_packed$/ },
  { scheme: 'NVFP4', name: /\.weight_scale_2$/ },
  { scheme: 'MXFP4', name: /_blocks$/ },
  { scheme: 'EXL2', name: /\.q_(weight|scale|scale_max|groups|invperm)$/ },
  { scheme: 'EXL3', name: /\.(trellis|suh|svh)$/ },
  { scheme: 'HQQ', name: /\.W_q$/ },
  { scheme: 'AQLM', name: /\.(codes|codebooks)$/ },
  { scheme: 'VPTQ', name: /\.(res_)?centroids\.weight$/ },
  { scheme: 'EETQ', name: /\.weight_scales$/ },
  { scheme: 'quanto', name: /\.weight\._(data|scale|shift)$/ },
  { scheme: 'SpQR', name: /\.(dense_weights|in_perm)$/ },
  { scheme: 'QuIP#', name: /\.(Qidxs(_\w+)?|codebook_id)$/ },
  {
    scheme: 'torchao',
    name: /([:._]|weight_)(qdata|int_data|packed_weight|scale_and_zero|tensor_impl(_\w+)?|layout_tensor(\.\w+)?)$/,
  },
  { scheme: 'MLX', codes: { name: /(^|\.)weight$/, beside: ['.scales', '.biases'] } },
  {
    scheme: 'scales',
    codes: { name: /(^|\.)weight$/, beside: ['.scale', '.zeros', '.zero_point', '.weight_zero_point'] },
  },
]

/** Matches weights that are floats in any checkpoint that isn't quantized. */
export const matrixName =
  /(^|[._])(\w*_?proj\w*|q|k|v|o|wq|wk|wv|wo|w\d|qkv|query|key|value|query_key_value|dense\w*|fc\w*|c_\w+|out|up|down|gate\w*|embed\w*|wte|wpe|word_embeddings|shared|lm_head|head|output|linear\w*|\d+)\.weight$/

/** Matches scales of weights: they mean nothing without codes, and no average of them means something. */
export const scaleName = /(^|[._])(weight_scale(_inv)?|weight_zero_point|scale_weight|qscale_weight)$/

/** Lists the values of quantization_config.quant_method whose float8 weights stand beside plain scales. */
export const float8Methods: readonly string[] = [
  'fp8',
  'fbgemm_fp8',
  'compressed-tensors',
  'modelopt',
  'quark',
  'fp_quant',
]

/** Tells whether elements may be codes: integers as quantization packs them, which no tensor of weights has. */
export const isCode = (dtype: Dtype): boolean =>
  dtype === 'I8' || dtype === 'U8' || dtype === 'I16' || dtype === 'U16' || dtype === 'I32' || dtype === 'U32'

/** Lists what the scale of a tensor may be called. Each multiplies, `_scale_inv` too: the name means the inverse of the factor used for quantizing. */
export const scaleNames = (tensor: string): readonly string[] => [
  `${tensor}_scale_inv`,
  `${tensor}_scale`,
  ...(tensor.endsWith('.weight') ? [`${tensor.slice(0, -6)}scale_weight`, `${tensor.slice(0, -6)}qscale_weight`] : []),
]

/** Matches scales of activations and caches, and marks: without a use where weights are no longer quantized. */
export const leftoverName =
  /(^|[._])(input_scale|input_global_scale|input_zero_point|input_scale_ub|activation_scale|output_scale|scale_input|qscale_act|k_scale|v_scale|q_scale|kv_scale|prob_scale|scaled_fp8)$/
