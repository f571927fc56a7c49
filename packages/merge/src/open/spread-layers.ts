import { type CheckpointLayout, type LayoutModule, type LayoutTensor, nameInLayer } from '@mk/architecture'

export interface SpreadLayers {
  /** The names to give, by the names that are there. */
  readonly names: ReadonlyMap<string, string>
  /** Of the model that has more layers. */
  readonly layerCount: number
}

/**
 * Gives the layers of a text model the numbers that corresponding ones have in a model that has further ones of another kind
 * between them, such as those that attend to an image (Llama 3.2 Vision).
 * @returns undefined where there is nothing to spread
 */
export function spreadLayers(whole: CheckpointLayout, text: CheckpointLayout): SpreadLayers | undefined {
  const part = whole.modules.find(({ kind }) => kind === 'language')
  const [own, ...more] = text.modules.filter(({ layerCount }) => layerCount > 0)
  if (part === undefined || own === undefined || more.length > 0 || part.layerCount <= own.layerCount) return undefined
  const wanted = new Set(own.tensors.filter(isInLayer).map(suffixOf))
  const alike = layersWith(part, wanted)
  if (wanted.size === 0 || alike.length !== own.layerCount) return undefined
  const renamed = own.tensors
    .filter(isInLayer)
    .map((tensor) => [tensor.name, nameInLayer(tensor.template, alike[tensor.layer!]!)] as const)
  return { names: new Map(renamed), layerCount: part.layerCount }
}

/** The numbers of the layers that have all of `suffixes`. */
function layersWith({ tensors, layerCount }: LayoutModule, suffixes: ReadonlySet<string>): readonly number[] {
  const found = Array.from({ length: layerCount }, () => 0)
  for (const tensor of tensors) if (isInLayer(tensor) && suffixes.has(suffixOf(tensor))) found[tensor.layer!]! += 1
  return found.flatMap((count, layer) => (count === suffixes.size ? [layer] : []))
}

const isInLayer = ({ layer, role }: LayoutTensor): boolean => layer !== undefined && role !== 'buffer'
const suffixOf = ({ template }: LayoutTensor): string => template.slice(template.indexOf('}') + 1)
