/** One tensor of the model, or those among which the choice is not clear (none: there is no such tensor). */
export type NameMatch =
  | { readonly kind: 'one'; readonly name: string }
  | { readonly kind: 'none'; readonly candidates: readonly string[] }

/** Segments that only say which class of transformers wraps the model, and that change with it. */
const wrappers = new Set(['model', 'language_model', 'transformer', 'base_model'])

/**
 * Creates what finds the tensor that a name means in a model whose tensors may be under other prefixes: `model.layers.0.…` is
 * `language_model.model.layers.0.…` in a model with vision, `transformer.h.0.…` is `h.0.…`. In turn: the name itself; the
 * only name that is equal without leading wrappers; the only name of which one is the end of the other. The router of Mixtral, which
 * transformers 5 has in `mlp`, is also found where files have it, in `block_sparse_moe`.
 */
export function createNameMatcher(names: Iterable<string>): (name: string) => NameMatch {
  const exact = new Set(names)
  const byCore = new Map<string, string[]>()
  const bySuffix = new Map<string, string[]>()
  for (const name of exact) {
    add(byCore, coreOf(name), name)
    for (const suffix of suffixesOf(name)) add(bySuffix, suffix, name)
  }
  const find = (name: string): NameMatch => {
    if (exact.has(name)) return { kind: 'one', name }
    const core = coreOf(name)
    const longer = bySuffix.get(core) ?? []
    const shorter = suffixesOf(core).filter((suffix) => exact.has(suffix))
    for (const found of [byCore.get(core) ?? [], [...longer, ...shorter]]) {
      if (found.length === 1) return { kind: 'one', name: found[0]! }
      if (found.length > 1) return { kind: 'none', candidates: found }
    }
    return { kind: 'none', candidates: [] }
  }
  return (name) => {
    const found = find(name)
    const earlier = name.replace('.mlp.gate.', '.block_sparse_moe.gate.')
    return found.kind === 'none' && found.candidates.length === 0 && earlier !== name ? find(earlier) : found
  }
}

function add(map: Map<string, string[]>, key: string, name: string): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [name])
  else list.push(name)
}

function coreOf(name: string): string {
  const segments = name.split('.')
  let first = 0
  while (first < segments.length - 2 && wrappers.has(segments[first]!)) first++
  return segments.slice(first).join('.')
}

/** All proper ends of a name that still name a module and its parameter. */
function suffixesOf(name: string): readonly string[] {
  const segments = name.split('.')
  return segments.slice(1, -2).map((_, index) => segments.slice(index + 1).join('.'))
}
