const atTheTop = 'it stands at the top level of the recipe'
const each = (names: readonly string[], hint: string) => Object.fromEntries(names.map((name) => [name, hint]))

/** What people write among the parameters that is none of any method, in lower case, and the way out. */
const hints: Readonly<Record<string, string>> = {
  ...each(
    ['dtype', 'out_dtype', 'base_model', 'merge_method', 'tokenizer_source', 'tokenizer', 'chat_template'],
    atTheTop,
  ),
  ...each(['torch_dtype', 'precision'], 'the dtype of the output is dtype, at the top level of the recipe'),
  ...each(['layer_range', 'layers'], 'layer_range stands beside model, in the sources of a slice'),
  ...each(['seed', 'random_seed'], 'it is a flag of the command line, --random-seed'),
  ...each(
    ['drop_rate', 'dropout', 'drop', 'drop_probability', 'dare', 'prune', 'sparsity'],
    'what is kept is density: 1 less the share that is dropped',
  ),
}

/** What people call parameters elsewhere: the first of them that the method has is meant. */
const aliases: Readonly<Record<string, readonly string[]>> = {
  alpha: ['t', 'weight', 'lambda'],
  ratio: ['t', 'weight'],
  factor: ['t', 'weight', 'scale'],
  interpolation: ['t'],
  interpolation_factor: ['t'],
  coefficient: ['weight', 't'],
  scaling: ['lambda', 'scale'],
  scaling_factor: ['lambda', 'scale'],
  scaling_coefficient: ['lambda'],
  scale: ['lambda'],
  lam: ['lambda'],
  lambda_: ['lambda'],
  trim: ['density'],
  keep: ['density'],
  keep_ratio: ['density'],
  top_k: ['select_topk', 'density'],
  topk: ['select_topk', 'density'],
  k: ['select_topk', 'density'],
  iterations: ['max_iter'],
  tolerance: ['tol'],
  threshold: ['t', 'epsilon'],
  sign_method: ['consensus_method'],
  majority_sign_method: ['consensus_method'],
}

/** Finds the parameter of `known` that is called `name` elsewhere. */
export function parameterCalled(name: string, known: readonly string[]): string | undefined {
  const folded = name.toLowerCase().replaceAll('-', '_')
  return Object.hasOwn(aliases, folded) ? aliases[folded]!.find((parameter) => known.includes(parameter)) : undefined
}

/** Says what to do with a name that is no parameter anywhere. */
export function parameterHint(name: string): string | undefined {
  const folded = name.toLowerCase().replaceAll('-', '_')
  if (/^\d+$/.test(folded)) return 'a decimal number has a point, no comma: 0.5'
  return Object.hasOwn(hints, folded) ? hints[folded] : undefined
}
