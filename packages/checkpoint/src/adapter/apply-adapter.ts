import { isSameShape } from '@mk/safetensors'
import { describeCheckpoint, embeddingNames, headNames, isTied, type ModelConfig } from '@mk/architecture'
import { CheckpointError } from '../errors.ts'
import type { LoraSource, TensorSource } from '@mk/source'
import type { Adapter } from './open-adapter.ts'
import { createNameMatcher } from './match-tensor-name.ts'

export interface AppliedAdapter {
  /** The model's tensors in their order, those that the adapter changes as LoRA or replaced sources. */
  readonly tensors: Map<string, TensorSource>
  readonly notes: readonly string[]
}

/** `module.lora_A[.<adapter>].weight`, or `module.lora_embedding_A[.<adapter>]`, whose factors have no `.weight`. */
const factorName = /^(?<module>.+)\.lora_(?<embedding>embedding_)?(?<side>[AB])(?:\.(?!bias$)[^.]+?)?(?:\.weight)?$/

interface Factors {
  readonly isEmbedding: boolean
  readonly tensors: Partial<Record<'A' | 'B', string>>
}

/**
 * Lays a LoRA adapter (PEFT's layout) over the sources of a model: W + scale · B·A where it has factors, the adapter's
 * own tensor where it was trained whole (`modules_to_save`, bias). Nothing is read. Every tensor of the adapter finds its
 * place in the model, or is an error.
 * @throws CheckpointError `adapter-…`
 */
export function applyAdapter(
  model: ReadonlyMap<string, TensorSource>,
  adapter: Adapter,
  config?: ModelConfig,
): AppliedAdapter {
  const tensors = new Map(model)
  const notes: string[] = []
  const match = createNameMatcher(model.keys())
  const { factors, whole } = sort(adapter)
  const owners = { factors: new Map<string, string>(), whole: new Map<string, string>() }
  const claim = (kind: keyof typeof owners, tensor: string, target: string): void => {
    const other = owners[kind].get(target)
    if (other !== undefined)
      throw new CheckpointError({ code: 'adapter-twice', adapter: adapter.name, tensor, other, target })
    owners[kind].set(target, tensor)
  }

  // First, because an embedding can be both replaced and adapted.
  for (const [tensor, expected] of whole) {
    const source = adapter.tensors.get(tensor)!
    const found = match(expected)
    if (found.kind === 'one') {
      claim('whole', tensor, found.name)
      const { shape } = model.get(found.name)!
      if (!isSameShape(source.shape, shape)) {
        const target = { name: found.name, shape }
        throw misfit(adapter, { name: tensor, shape: source.shape }, target, 'the same shape')
      }
      tensors.set(found.name, source)
    } else if (found.candidates.length === 0 && isNewHead(expected, adapter)) {
      claim('whole', tensor, expected)
      tensors.set(expected, source)
      notes.push(`${adapter.name}: its head '${expected}' is added to a model that had none of its own`)
    } else throw unmatched(adapter, tensor, expected, found.candidates)
  }
  for (const [module, pair] of factors) {
    const { A: nameOfA, B: nameOfB } = pair.tensors
    if (nameOfA === undefined || nameOfB === undefined) throw incomplete(adapter, (nameOfA ?? nameOfB)!)
    const expected = `${module}.weight`
    const found = match(expected)
    const target = found.kind === 'one' ? found.name : expected
    const source =
      found.kind === 'one'
        ? tensors.get(target)!
        : found.candidates.length === 0
          ? tiedTo(expected, model, config)
          : undefined
    if (source === undefined) throw unmatched(adapter, nameOfA, expected, found.kind === 'none' ? found.candidates : [])
    claim('factors', nameOfA, target)
    const names = { module, isEmbedding: pair.isEmbedding, A: nameOfA, B: nameOfB, target }
    tensors.set(target, loraSource(adapter, names, source))
    if (found.kind === 'none')
      notes.push(
        `${adapter.name}: it changes the head '${expected}', which the model ties to its embedding; the head is its own now`,
      )
  }
  return { tensors, notes }
}

/** Pairs of factors by module, and the other tensors by the name that they have in the model. */
function sort(adapter: Adapter) {
  const factors = new Map<string, Factors>()
  const whole = new Map<string, string>()
  for (const tensor of adapter.tensors.keys()) {
    const inModel = tensor.replace(/^base_model\.model\./, '')
    const groups = factorName.exec(inModel)?.groups
    if (groups === undefined) {
      whole.set(tensor, inModel.replace(/\.modules_to_save(?:\.default)?(?=\.)/, '').replace(/\.base_layer(?=\.)/, ''))
      continue
    }
    const module = groups['module']!
    const isEmbedding = groups['embedding'] !== undefined
    const pair = factors.get(module) ?? { isEmbedding, tensors: {} }
    const side = groups['side'] as 'A' | 'B'
    const other = pair.tensors[side]
    if (other !== undefined)
      throw new CheckpointError({
        code: 'adapter-twice',
        adapter: adapter.name,
        tensor,
        other,
        target: `${module}.weight`,
      })
    pair.tensors[side] = tensor
    factors.set(module, pair)
  }
  return { factors, whole }
}

/** The factors of one module, by their names in the adapter, and the tensor of the model that they change. */
interface ModuleFactors {
  readonly module: string
  readonly isEmbedding: boolean
  readonly A: string
  readonly B: string
  readonly target: string
}

function loraSource(adapter: Adapter, names: ModuleFactors, source: TensorSource): LoraSource {
  const [a, b] = [adapter.tensors.get(names.A)!, adapter.tensors.get(names.B)!]
  const [ofA, ofB, target] = [
    { name: names.A, ...a },
    { name: names.B, ...b },
    { name: names.target, ...source },
  ]
  for (const { name: tensor, dtype } of [ofA, ofB, target]) {
    if (!/^(F|BF)\d/.test(dtype))
      throw new CheckpointError({ code: 'adapter-dtype', adapter: adapter.name, tensor, dtype })
  }
  const { rank, scale } = adapter.settings.ofModule(names.module)
  // The matrix of an embedding is [tokens, width], so PEFT adds (B·A)ᵀ to it, as to a Conv1D.
  const transposed = names.isEmbedding || adapter.settings.transposed
  const [rows, columns] = source.shape
  const [input, output] = transposed ? [rows, columns] : [columns, rows]
  if (source.shape.length !== 2) throw misfit(adapter, ofA, target, 'a matrix to adapt')
  if (a.shape.length === 2 && a.shape[0] !== rank) {
    const found = a.shape[0]!
    throw new CheckpointError({
      code: 'adapter-rank',
      adapter: adapter.name,
      tensor: names.A,
      found,
      expected: rank,
    })
  }
  if (!isSameShape(a.shape, [rank, input!])) throw misfit(adapter, ofA, target, `[${rank}, ${input}]`)
  if (!isSameShape(b.shape, [output!, rank])) throw misfit(adapter, ofB, target, `[${output}, ${rank}]`)
  return { kind: 'lora', dtype: source.dtype, shape: source.shape, source, a, b, scale, transposed }
}

/** The embedding, for the head of a model that ties the two: PEFT adds the factors of a head to the head alone. */
function tiedTo(
  name: string,
  model: ReadonlyMap<string, TensorSource>,
  config: ModelConfig | undefined,
): TensorSource | undefined {
  if (!/(?:^|\.)(?:lm_head|embed_out|output|proj_out)\.weight$/.test(name)) return undefined
  const facts = [...model].map(([tensor, { shape, dtype }]) => ({ name: tensor, shape, dtype }))
  const layout = describeCheckpoint(facts, config)
  const isFree = headNames(layout).length === 0 && isTied(config, layout)
  return isFree ? model.get(embeddingNames(layout)[0] ?? '') : undefined
}

/** PEFT trains the head of a model with tied embeddings apart from them. */
const isNewHead = (name: string, { settings }: Adapter): boolean => {
  const head = /(?:^|\.)(lm_head|embed_out|output)\.weight$/.exec(name)?.[1]
  return head !== undefined && settings.modulesToSave.includes(head)
}

const unmatched = (
  { name }: Adapter,
  tensor: string,
  expected: string,
  candidates: readonly string[],
): CheckpointError => new CheckpointError({ code: 'adapter-unmatched', adapter: name, tensor, expected, candidates })

const incomplete = ({ name }: Adapter, tensor: string): CheckpointError =>
  new CheckpointError({
    code: 'adapter-incomplete',
    adapter: name,
    tensor,
    missing: tensor.replace(
      /lora_(embedding_)?([AB])/,
      (_, embedding = '', side) => `lora_${embedding}${side === 'A' ? 'B' : 'A'}`,
    ),
  })

interface NamedShape {
  readonly name: string
  readonly shape: readonly number[]
}

const misfit = (
  { name: adapter }: Adapter,
  { name: tensor, shape }: NamedShape,
  { name: target, shape: targetShape }: NamedShape,
  expected: string,
): CheckpointError =>
  new CheckpointError({ code: 'adapter-shape', adapter, tensor, shape, target, targetShape, expected })
