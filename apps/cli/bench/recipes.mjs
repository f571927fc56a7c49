/** The measured merges by name: the recipe for a base and two fine-tunes, and what is read and written. */
const list = (models, parameters) => models.map((model) => ({ model, ...(parameters && { parameters }) }))
const withBase =
  (method, parameters, methodWide) =>
  ([base, a, b]) => ({
    merge_method: method,
    base_model: base,
    models: list([a, b], parameters),
    ...(methodWide && { parameters: methodWide }),
  })

const gradient = [
  { filter: 'self_attn', value: [0, 0.5, 0.3, 0.7, 1] },
  { filter: 'mlp', value: [1, 0.5, 0.7, 0.3, 0] },
  { value: 0.5 },
]

export const recipes = {
  passthrough: {
    mergekitSeconds: 10.5,
    reads: [0, 1],
    recipe: ([a, b], { layers }) => ({
      merge_method: 'passthrough',
      slices: [
        { sources: [{ model: a, layer_range: [0, Math.round(layers * 0.73)] }] },
        { sources: [{ model: b, layer_range: [Math.round(layers * 0.27), layers] }] },
      ],
    }),
  },
  linear: {
    mergekitSeconds: 18,
    reads: [0, 1, 2],
    recipe: (models) => ({ merge_method: 'linear', models: list(models, { weight: 0.4 }) }),
  },
  'linear to q8_0': {
    reads: [0, 1, 2],
    recipe: (models) => ({
      merge_method: 'linear',
      models: list(models, { weight: 0.4 }),
      out_format: 'gguf',
      out_dtype: 'q8_0',
    }),
  },
  slerp: {
    mergekitSeconds: 31,
    reads: [0, 1],
    recipe: ([base, a]) => ({
      merge_method: 'slerp',
      base_model: base,
      models: list([base, a]),
      parameters: { t: gradient },
    }),
  },
  task_arithmetic: { reads: [0, 1, 2], recipe: withBase('task_arithmetic', { weight: 0.5 }) },
  ties: { mergekitSeconds: 273, reads: [0, 1, 2], recipe: withBase('ties', { weight: 0.5, density: 0.5 }) },
  dare_linear: { reads: [0, 1, 2], recipe: withBase('dare_linear', { weight: 0.5, density: 0.5 }) },
  dare_ties: { reads: [0, 1, 2], recipe: withBase('dare_ties', { weight: 0.5, density: 0.5 }) },
  della_linear: { reads: [0, 1, 2], recipe: withBase('della_linear', { weight: 0.5, density: 0.5, epsilon: 0.1 }) },
  della: { reads: [0, 1, 2], recipe: withBase('della', { weight: 0.5, density: 0.5, epsilon: 0.1 }) },
  breadcrumbs: { reads: [0, 1, 2], recipe: withBase('breadcrumbs', { weight: 0.5, density: 0.5, gamma: 0.01 }) },
  breadcrumbs_ties: {
    reads: [0, 1, 2],
    recipe: withBase('breadcrumbs_ties', { weight: 0.5, density: 0.5, gamma: 0.01 }),
  },
  model_stock: { reads: [0, 1, 2], recipe: withBase('model_stock') },
  nuslerp: {
    reads: [1, 2],
    recipe: ([, a, b]) => ({ merge_method: 'nuslerp', models: list([a, b], { weight: 0.5 }) }),
  },
  multislerp: {
    reads: [0, 1, 2],
    recipe: (models) => ({ merge_method: 'multislerp', models: list(models, { weight: 0.4 }) }),
  },
  karcher: { reads: [0, 1, 2], recipe: (models) => ({ merge_method: 'karcher', models: list(models) }) },
  sce: { reads: [0, 1, 2], recipe: withBase('sce', undefined, { select_topk: 0.1 }) },
  ram: { reads: [0, 1, 2], recipe: withBase('ram') },
  ramplus_tl: { reads: [0, 1, 2], recipe: withBase('ramplus_tl') },
  nearswap: {
    reads: [0, 1],
    recipe: ([base, a]) => ({
      merge_method: 'nearswap',
      base_model: base,
      models: list([a]),
      parameters: { t: 0.001 },
    }),
  },
  arcee_fusion: {
    reads: [0, 1],
    recipe: ([base, a]) => ({ merge_method: 'arcee_fusion', base_model: base, models: list([a]) }),
  },
}

/** The measured commands that read models and write nothing, by name: their bin, and what they are called with. */
export const inspections = {
  diagnose: { bin: 'mk-diagnose', reads: [0, 1, 2], args: (_, recipe) => [recipe] },
  'full diagnosis': { bin: 'mk-diagnose', reads: [0, 1, 2], args: (_, recipe) => [recipe, '--full'] },
  diff: { bin: 'mk-diff', reads: [1, 2], args: ([, a, b]) => [a, b] },
  'diff with a base': { bin: 'mk-diff', reads: [0, 1, 2], args: ([base, a, b]) => [a, b, '--base', base] },
}

/** What the bench runs when nothing is named. */
export const mainRecipes = [
  'passthrough',
  'linear',
  'linear to q8_0',
  'slerp',
  'task_arithmetic',
  'ties',
  'diagnose',
  'diff',
]
