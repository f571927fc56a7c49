import { alignTensors } from './align.ts'
import type { CheckpointLayout, LayoutModule, LayoutTensor, ModelConfig } from './layout.ts'
import { settingAt } from './settings.ts'
import { languageParts } from './tied.ts'

/** What is known of a model before anything of it is read. */
export interface DescribedModel {
  readonly config: ModelConfig | undefined
  readonly layout: CheckpointLayout
}

/** What families are called whose class is another where they are a part of a larger model. */
const plainNames: Readonly<Record<string, string>> = {
  mllama: 'llama',
  phi4_multimodal: 'phi3',
  qwen2_5: 'qwen2',
}

/**
 * Tells whether a text model is what the language part of a model with vision or sound was made from, as far as tensors and
 * config.json say it: each tensor of its layers has one of the same shape there, layers there that it lacks are of another kind
 * (cross-attention), and config.json names no other family for that part.
 */
export function isTextPart(text: DescribedModel, whole: DescribedModel): boolean {
  const [own, others] = [text, whole].map(({ layout }) => layout.modules.filter(({ layerCount }) => layerCount > 0))
  const part =
    others!.find(({ kind }) => kind === 'language') ??
    others!.find(({ layerPrefix }) => layerPrefix === own![0]?.layerPrefix)
  const hasOtherSense = others!.some(({ kind }) => kind === 'vision' || kind === 'audio')
  if (own!.length !== 1 || !hasOtherSense || part === undefined) return false
  return !namesOtherFamily(text.config, whole.config) && haveSameLayers(text.layout, whole.layout, own![0]!, part)
}

function namesOtherFamily(text: ModelConfig | undefined, whole: ModelConfig | undefined): boolean {
  const places = [...languageParts.map((key) => [key]), ...languageParts.map((key) => [key, 'text_config'])]
  const part = places.map((path) => settingAt(whole, [...path, 'model_type'])).findLast(isText)
  const own = text?.['model_type']
  return part !== undefined && isText(own) && plainName(part) !== plainName(own)
}

const isText = (value: unknown): value is string => typeof value === 'string'

/** `qwen3_vl_moe_text` → `qwen3_moe` */
function plainName(family: string): string {
  const name = family
    .replace(/_(?:text|text_model|language|language_model|llm|decoder)$/, '')
    .replace(/(?:_(?:vl|v|vision|omni|audio|thinker)|(?<=\d)v)(?=_|$)/g, '')
  return Object.hasOwn(plainNames, name) ? plainNames[name]! : name
}

function haveSameLayers(
  text: CheckpointLayout,
  whole: CheckpointLayout,
  own: LayoutModule,
  part: LayoutModule,
): boolean {
  const { pairs } = alignTensors(text, whole)
  const shapes = new Map(part.tensors.filter(isInLayer).map(({ name, shape }) => [name, shape.join()]))
  const found = own.tensors.filter(isInLayer)
  if (found.length === 0 || found.some(({ name, shape }) => shapes.get(pairs.get(name) ?? '') !== shape.join()))
    return false
  const met = new Set(found.map(({ name }) => pairs.get(name)!))
  const metLayers = new Set(part.tensors.filter(({ name }) => met.has(name)).map(({ layer }) => layer))
  const ofKind = kindsByLayer(part)
  const metKinds = new Set([...metLayers].map((layer) => ofKind.get(layer!)))
  return (
    part.tensors.every((tensor) => !isInLayer(tensor) || met.has(tensor.name) || !metLayers.has(tensor.layer)) &&
    [...ofKind].every(([layer, kind]) => metLayers.has(layer) || !metKinds.has(kind))
  )
}

const isInLayer = ({ layer, role }: LayoutTensor): boolean => layer !== undefined && role !== 'buffer'

/** What the tensors of each layer are called. */
function kindsByLayer({ tensors }: LayoutModule): ReadonlyMap<number, string> {
  const templates = new Map<number, string[]>()
  for (const { layer, template, role } of tensors)
    if (layer !== undefined && role !== 'buffer') templates.set(layer, [...(templates.get(layer) ?? []), template])
  return new Map([...templates].map(([layer, names]) => [layer, names.toSorted().join()]))
}
