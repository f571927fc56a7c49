import type { CheckpointLayout, LayoutModule, LayoutTensor } from './layout.ts'

/** How the tensor names of two models fit one another, however each writes its prefixes. */
export interface TensorAlignment {
  /** The name in `b` for each name in `a` that has one. */
  readonly pairs: ReadonlyMap<string, string>
  readonly onlyInA: readonly string[]
  readonly onlyInB: readonly string[]
  /** Names in `a` that fit several in `b`; they are in `onlyInA` too. */
  readonly conflicts: readonly { readonly name: string; readonly candidates: readonly string[] }[]
}

/**
 * Which tensors of two checkpoints are the same: a text model and the language part of a vision model, a model saved with
 * and without its outer prefix, LayerNorm's `gamma` and `weight`. Names that are equal always match; modules match by kind.
 */
export function alignTensors(a: CheckpointLayout, b: CheckpointLayout): TensorAlignment {
  const namesInB = new Set(b.modules.flatMap(({ tensors }) => tensors.map(({ name }) => name)))
  let byKey: ReadonlyMap<string, readonly string[]> | undefined

  const pairs = new Map<string, string>()
  const onlyInA: string[] = []
  const conflicts: { name: string; candidates: readonly string[] }[] = []
  for (const module of a.modules) {
    const kind = kindFor(module, a, b)
    for (const tensor of module.tensors) {
      const { name } = tensor
      if (namesInB.has(name)) {
        pairs.set(name, name)
        continue
      }
      // Most models that meet have the same names.
      byKey ??= namesByKey(b, a)
      const candidates = byKey.get(`${kind}:${keyOf(tensor, module)}`) ?? []
      if (candidates.length === 1) pairs.set(name, candidates[0]!)
      else onlyInA.push(name)
      if (candidates.length > 1) conflicts.push({ name, candidates })
    }
  }
  const used = new Set(pairs.values())
  return { pairs, onlyInA, onlyInB: [...namesInB].filter((name) => !used.has(name)), conflicts }
}

function namesByKey(layout: CheckpointLayout, other: CheckpointLayout): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, string[]>()
  for (const module of layout.modules) {
    const kind = kindFor(module, layout, other)
    for (const tensor of module.tensors) {
      const key = `${kind}:${keyOf(tensor, module)}`
      const known = names.get(key)
      if (known === undefined) names.set(key, [tensor.name])
      else known.push(tensor.name)
    }
  }
  return names
}

/** A checkpoint with one module meets the language part of one with several. */
function kindFor(module: LayoutModule, layout: CheckpointLayout, other: CheckpointLayout): string {
  if (module.kind === undefined && layout.modules.length === 1 && other.modules.length > 1) return 'language'
  return module.kind ?? (layout.modules.length === 1 ? 'only' : (module.names[0] ?? ''))
}

function keyOf({ name, layer, template }: LayoutTensor, module: LayoutModule): string {
  const path = module.layerPrefix?.split('.').slice(0, -2) ?? []
  if (layer !== undefined) {
    const suffix = template.slice(template.indexOf('}') + 1)
    return `${layer}${usualSpelling(suffix)}`
  }
  if (module.kind === 'projector') return name.slice(module.prefix.length)
  let segments = (template.includes('{') ? template : name).split('.')
  for (let length = path.length; length > 0; length -= 1) {
    if (segments.slice(0, length).join('.') !== path.slice(0, length).join('.')) continue
    segments = segments.slice(length)
    break
  }
  return usualSpelling(segments.join('.'))
}

function usualSpelling(name: string): string {
  return name.replace(/LayerNorm\.gamma$/, 'LayerNorm.weight').replace(/LayerNorm\.beta$/, 'LayerNorm.bias')
}
