import type { Checkpoint } from '@mk/checkpoint'
import { matrixSource, type TensorSource } from '@mk/source'
import { MergeError } from '../errors.ts'

/** How one tensor per expert is called. */
interface ExpertNames {
  /** The part of a layer that has the experts. */
  readonly part: string
  readonly gate: string
  readonly up: string
  readonly down: string
}

const numbered = (part: string): ExpertNames => ({ part, gate: 'w1', up: 'w3', down: 'w2' })
const worded: ExpertNames = { part: 'mlp', gate: 'gate_proj', up: 'up_proj', down: 'down_proj' }

/** Families of which released checkpoints have one tensor per expert, while transformers 5 has packed ones in memory. */
const releasedNames: Readonly<Record<string, ExpertNames>> = {
  deepseek_v2: worded,
  deepseek_v3: worded,
  dots1: worded,
  glm4_moe: worded,
  minimax: numbered('block_sparse_moe'),
  mixtral: numbered('block_sparse_moe'),
  olmoe: worded,
  qwen2_moe: worded,
  qwen3_moe: worded,
}

/** Families of which released checkpoints have packed experts: with a tensor for each nothing could read the output. */
const packedOnHub = new Set([
  'dbrx',
  'gpt_oss',
  'granitemoe',
  'granitemoehybrid',
  'granitemoeshared',
  'llama4',
  'llama4_text',
  'qwen3_5_moe',
  'qwen3_vl_moe',
])

const packedName = /^(?<layer>.*\.\d+)\.(?<part>\w+)\.experts\.(?<which>gate_up_proj|down_proj)$/
const separateName = /^.*\.\d+\.(?<part>\w+)\.experts\.\d+\.(?<gate>w1|gate_proj)\.weight$/

/**
 * Takes packed experts apart (gate and up [experts, 2·inner, hidden], down [experts, hidden, inner], as transformers 5 has them in
 * memory and mergekit writes them), where other models of the merge or released checkpoints of the family have one tensor for
 * each expert. What has another form stays as it is, as long as all models have it. Nothing is read.
 * @throws MergeError 'experts-differ' where models have experts in forms that can't be made one
 */
export function unpackExperts(checkpoints: readonly Checkpoint[]): readonly Checkpoint[] {
  const spelled = new Map(
    checkpoints.flatMap((checkpoint) =>
      [...checkpoint.tensors.keys()]
        .flatMap(namesLike)
        .slice(0, 1)
        .map((names) => [typeOf(checkpoint), names] as const),
    ),
  )
  const unpacked = checkpoints.map((checkpoint) => {
    const type = typeOf(checkpoint)
    const names = spelled.get(type) ?? (Object.hasOwn(releasedNames, type) ? releasedNames[type] : undefined)
    return names === undefined || packedOnHub.has(type) ? checkpoint : unpack(checkpoint, names)
  })
  refuseOtherForms(unpacked)
  return unpacked
}

/**
 * Gives matrices for the inputs of packed experts, a matrix for each expert or one for all, to the tensors that a model has for each. Gate and
 * up have the same inputs.
 */
export function unpackInputMatrices(file: Checkpoint, model: Checkpoint): Checkpoint {
  const names = [...model.tensors.keys()].flatMap(namesLike).at(0)
  if (names === undefined) return file
  const tensors = [...file.tensors].flatMap(([name, source]): (readonly [string, TensorSource])[] => {
    const { layer, which } = packedName.exec(name)?.groups ?? {}
    const ofExpert = (index: number, weight: string) => `${layer}.${names.part}.experts.${index}.${weight}.weight`
    let count = 0
    while (model.tensors.has(ofExpert(count, names.gate))) count++
    const { shape } = source
    const isOfEach = shape.length === 3 && shape[0] === count
    if (layer === undefined || count === 0 || (shape.length !== 2 && !isOfEach)) return [[name, source]]
    const weights = which === 'down_proj' ? [names.down] : [names.gate, names.up]
    return Array.from({ length: count }, (_, index) => {
      const own = isOfEach ? matrixSource(source, { index, rowStart: 0, rowCount: shape[1]! }) : source
      return weights.map((weight) => [ofExpert(index, weight), own ?? source] as const)
    }).flat()
  })
  return { ...file, tensors: new Map(tensors) }
}

/** Some models of a family have a tensor for each expert, and others still packed ones. */
function refuseOtherForms(checkpoints: readonly Checkpoint[]): void {
  for (const family of new Set(checkpoints.map(typeOf))) {
    const ofFamily = checkpoints.filter((checkpoint) => typeOf(checkpoint) === family)
    const separate = findTensor(ofFamily, separateName)
    const packed = findTensor(ofFamily, packedName)
    if (separate === undefined || packed === undefined) continue
    const { model, name } = separate
    const { model: other, name: ofPacked, shape } = packed
    const isPackedOnHub = packedOnHub.has(family)
    throw new MergeError({
      code: 'experts-differ',
      family,
      model,
      name,
      other,
      packedName: ofPacked,
      shape,
      isPackedOnHub,
    })
  }
}

function findTensor(checkpoints: readonly Checkpoint[], pattern: RegExp) {
  for (const { tensors, reference } of checkpoints)
    for (const [name, { shape }] of tensors) if (pattern.test(name)) return { model: reference.path, name, shape }
  return undefined
}

const typeOf = ({ config }: Checkpoint): string => {
  const type = config?.['model_type']
  return typeof type === 'string' ? type : ''
}

function namesLike(name: string): readonly ExpertNames[] {
  const groups = separateName.exec(name)?.groups
  if (groups === undefined) return []
  const part = groups['part']!
  return [groups['gate'] === 'w1' ? numbered(part) : { ...worded, part }]
}

function unpack(checkpoint: Checkpoint, names: ExpertNames): Checkpoint {
  const { tensors } = checkpoint
  /** What a layer's part is called now, for those whose experts are taken apart. */
  const renamed = new Map<string, string>()
  const parts = new Map<string, readonly (readonly [string, TensorSource])[]>()
  for (const name of tensors.keys()) {
    const groups = packedName.exec(name)?.groups
    if (groups?.['which'] !== 'gate_up_proj') continue
    const from = `${groups['layer']!}.${groups['part']!}`
    const to = `${groups['layer']!}.${names.part}`
    const separate = expertsOf(tensors, from, to, names)
    if (separate === undefined) continue
    renamed.set(from, to)
    parts.set(name, separate)
    parts.set(`${from}.experts.down_proj`, [])
  }
  if (parts.size === 0) return checkpoint
  const unpacked = [...tensors].flatMap(([name, source]): (readonly [string, TensorSource])[] => {
    const part = /^(.*?\.\d+\.\w+)\./.exec(name)?.[1] ?? ''
    return [
      ...(parts.get(name) ?? [[renamed.has(part) ? `${renamed.get(part)!}${name.slice(part.length)}` : name, source]]),
    ]
  })
  const note = `${checkpoint.reference.path}: its packed experts are taken apart; the output has tensors for each expert, as released checkpoints of this architecture do`
  return { ...checkpoint, tensors: new Map(unpacked), notes: [...checkpoint.notes, note] }
}

/** The tensors of each expert of a layer; undefined where they are in another form. */
function expertsOf(
  tensors: Checkpoint['tensors'],
  from: string,
  to: string,
  names: ExpertNames,
): readonly (readonly [string, TensorSource])[] | undefined {
  const [gateUp, down] = ['gate_up_proj', 'down_proj'].map((which) => tensors.get(`${from}.experts.${which}`))
  if (gateUp?.shape.length !== 3 || down?.shape.length !== 3) return undefined
  const [count, hidden, inner] = down.shape as [number, number, number]
  if (gateUp.shape.join() !== [count, 2 * inner, hidden].join()) return undefined
  const separate: (readonly [string, TensorSource])[] = []
  for (let index = 0; index < count; index++) {
    const each = [
      [names.gate, matrixSource(gateUp, { index, rowStart: 0, rowCount: inner })],
      [names.up, matrixSource(gateUp, { index, rowStart: inner, rowCount: inner })],
      [names.down, matrixSource(down, { index, rowStart: 0, rowCount: hidden })],
    ] as const
    for (const [name, source] of each) {
      if (source === undefined) return undefined
      separate.push([`${to}.experts.${index}.${name}.weight`, source])
    }
  }
  return separate
}
