import type { GgufMetadata, GgufValue } from '../metadata.ts'
import { type ConfigValues, isObject, languageConfig, needSetting } from './config-values.ts'
import { ConversionError, some } from './errors.ts'
import { ggufFamilies } from './families/all-families.ts'
import { expertMark, type GgufFamily, type TensorRule } from './family.ts'
import type { NamedShape } from './map-tensors.ts'

/** A tensor of a model of transformers, and what of a GGUF's tensor it is. */
export interface RestoredTensor extends NamedShape {
  /** The tensor's name in the GGUF. */
  readonly source: string
  /** Which matrix of a stack. */
  readonly matrix?: number
  /** Rows lie with the halves of each of so many heads interleaved, [heads, n, 2]. */
  readonly interleavedHeads?: number
  /** Added to all elements, in float32. */
  readonly add?: number
}

/** A GGUF as transformers would have it: a config, and where each tensor's elements are in the GGUF. */
export interface RestoredModel {
  readonly config: ConfigValues
  /** In the order of the GGUF. */
  readonly tensors: readonly RestoredTensor[]
}

/** What a header says of a model. */
export interface GgufModel {
  readonly metadata: GgufMetadata
  readonly tensors: readonly NamedShape[]
}

/** Factors of RoPE, which config.json tells. */
const computed = /^rope_(?:freqs|factors_long|factors_short)\.weight$/

/**
 * Gives the tensors of a GGUF the names and the shapes that a family's map has them from: `planConversion` backwards.
 * @param like config.json of a model of the same family, for what a GGUF doesn't say
 * @throws ConversionError `gguf-no-way-back`, `gguf-unrestored-tensors`, `gguf-tensor-rows`, `gguf-config`
 */
export function restoreModel({ metadata, tensors }: GgufModel, like: ConfigValues): RestoredModel {
  const family = findFamily(metadata, like)
  const rows = tensors.find(({ name }) => name === 'token_embd.weight')?.shape[0]
  const config = restoredConfig(family, metadata, {
    like,
    ...(rows !== undefined && { rows }),
    tied: !tensors.some(({ name }) => name === 'output.weight'),
  })
  const rules = rulesOf(family)
  const unknown: string[] = []
  const restored = tensors.flatMap((tensor): readonly RestoredTensor[] => {
    for (const { expression, pattern, rule } of rules) {
      const found = expression.exec(tensor.name)
      if (found !== null)
        return restoreTensor(tensor, pattern.replace('{layer}', found.groups?.['layer'] ?? ''), rule, config)
    }
    if (!computed.test(tensor.name)) unknown.push(tensor.name)
    return []
  })
  if (unknown.length > 0)
    throw new ConversionError({ code: 'gguf-unrestored-tensors', family: family.architecture, tensors: some(unknown) })
  return { config, tensors: restored }
}

function findFamily(metadata: GgufMetadata, like: ConfigValues): GgufFamily {
  const named = metadata.get('general.architecture')
  const architecture = named?.type === 'string' ? named.value : ''
  const types = [like['model_type'], languageConfig(like)['model_type']]
  const ofArchitecture = ggufFamilies.filter((family) => family.architecture === architecture)
  const family = ofArchitecture.find(({ modelTypes }) => modelTypes.some((type) => types.includes(type)))
  if (family !== undefined) return family
  throw new ConversionError({
    code: 'gguf-no-way-back',
    architecture,
    other: types.find((type) => typeof type === 'string') ?? 'no model_type',
    known: ofArchitecture.flatMap(({ modelTypes }) => modelTypes).join(', '),
  })
}

interface Rule {
  readonly expression: RegExp
  readonly pattern: string
  readonly rule: Exclude<TensorRule, string> | undefined
}

/** The map backwards: of the forms that a tensor may have in transformers the first, which is one tensor for each expert. */
function rulesOf(family: GgufFamily): readonly Rule[] {
  const rules = new Map<string, Rule>()
  for (const [pattern, rule] of Object.entries(family.tensors)) {
    if (typeof rule === 'object' && 'halves' in rule) continue
    const name = typeof rule === 'string' ? rule : rule.name
    if (rules.has(name)) continue
    const expression = new RegExp(`^${name.replaceAll('.', '\\.').replace('{layer}', '(?<layer>\\d+)')}$`)
    rules.set(name, { expression, pattern, rule: typeof rule === 'string' ? undefined : rule })
  }
  return [...rules.values()]
}

function restoreTensor(
  { name: source, shape }: NamedShape,
  name: string,
  rule: Rule['rule'],
  config: ConfigValues,
): readonly RestoredTensor[] {
  if (name.includes(expertMark)) {
    if (shape.length !== 3) throw rowsError(source, shape, 'a matrix for each expert')
    return Array.from({ length: shape[0]! }, (_, matrix) => ({
      name: name.replace(expertMark, String(matrix)),
      shape: shape.slice(1),
      source,
      matrix,
    }))
  }
  if (rule === undefined || 'halves' in rule) return [{ name, shape, source }]
  const { interleave, add } = rule
  const heads = interleave && needSetting(config, { config: [interleave, 'num_attention_heads'] }, interleave)
  if (heads !== undefined && (heads === 0 || shape[0]! % (2 * heads) !== 0))
    throw rowsError(source, shape, `an even number of rows for each of ${heads} heads`)
  return [
    {
      name,
      shape,
      source,
      ...(heads !== undefined && { interleavedHeads: heads }),
      ...(add !== undefined && { add: -add }),
    },
  ]
}

/** What the metadata says, over the config of a model of the same family. */
function restoredConfig(
  family: GgufFamily,
  metadata: GgufMetadata,
  { like, rows, tied }: { readonly like: ConfigValues; readonly rows?: number; readonly tied: boolean },
): ConfigValues {
  const { text_config: text, vision_config: _, ...own } = languageConfig(like)
  const config: Record<string, unknown> = { ...own, tie_word_embeddings: tied }
  if (isObject(text)) Object.assign(config, { architectures: family.architectures })
  const put = (key: string, value: number | undefined, into = config): void => {
    // Float32 stands for whatever number it is the nearest to.
    if (value !== undefined && Math.fround(Number(into[key])) !== Math.fround(value)) into[key] = value
  }
  for (const { key, value } of family.settings)
    if (typeof value === 'object' && 'config' in value)
      put(
        value.config.find((path) => path in config) ?? value.config[0]!,
        numberAt(metadata, `${family.architecture}.${key}`),
      )
  put('vocab_size', rows)
  const theta = numberAt(metadata, `${family.architecture}.rope.freq_base`)
  const parameters = config['rope_parameters']
  if (isObject(parameters)) {
    const changed = { ...parameters }
    put('rope_theta', theta, changed)
    config['rope_parameters'] = changed
  } else if (theta !== undefined && theta !== (config['rope_theta'] ?? family.rope.theta)) put('rope_theta', theta)
  return config
}

function numberAt(metadata: GgufMetadata, key: string): number | undefined {
  const found: GgufValue | undefined = metadata.get(key)
  return found !== undefined && 'value' in found && typeof found.value === 'number' ? found.value : undefined
}

const rowsError = (tensor: string, shape: readonly number[], expected: string): ConversionError =>
  new ConversionError({ code: 'gguf-tensor-rows', tensor, shape: JSON.stringify(shape), expected })
