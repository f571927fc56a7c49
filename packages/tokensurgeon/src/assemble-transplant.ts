import { reviseConfig } from '@mk/architecture'
import type { CheckpointFile } from '@mk/checkpoint'
import type { MergeConfig } from '@mk/config'
import { counted } from '@mk/errors'
import { type Assembly, type MergeInputs, outputDtype, ownDtype, type UnplacedTensor } from '@mk/merge'
import { type Dtype, isDtype } from '@mk/safetensors'
import { gatherSource, joinPath, type TensorSource } from '@mk/source'
import { planVocabulary } from '@mk/tokenizer'
import { planRows, type RowPlan, type UntrainedTokens } from './plan-rows.ts'
import {
  isSameVocabulary,
  readModel,
  rotationOf,
  rowsForTokens,
  type VocabularyMatrix,
  type VocabularyModel,
} from './read-models.ts'
import type { Side, SurgeonSettings } from './settings.ts'
import { findSplitNumber } from './vocabulary/compare-numbers.ts'
import { createSplitter } from './vocabulary/split-texts.ts'

/** A matrix of the output, and the two that it is made of. */
export interface PlannedMatrix {
  readonly side: Side
  readonly model: VocabularyMatrix
  readonly donor: VocabularyMatrix
  /** Undefined where both vocabularies are the same, and rows stay as they are. */
  readonly rows: RowPlan | undefined
}

/** A transplant as planned from headers and tokenizers. */
export interface TransplantAssembly extends Assembly {
  readonly models: Models
  readonly matrices: readonly PlannedMatrix[]
}

/** The two models of a transplant. */
export interface Models {
  /** Gives everything but the vocabulary. */
  readonly model: VocabularyModel
  /** Gives the vocabulary. */
  readonly donor: VocabularyModel
}

/** What a plan goes by beside the models. */
export interface TransplantFacts {
  readonly settings: SurgeonSettings
  readonly config: MergeConfig
  readonly copyTokenizer: boolean
}

/** Finds the number of rows of the output, which ids of DONOR need. */
const outputRows = ({ model, donor }: Models, isSame: boolean): number =>
  isSame ? model.embedding.source.shape[0]! : rowsForTokens(donor.tokenizer)

/** Plans the matrices over the vocabulary. @param untrained absent: all tokens count as trained */
export function planMatrices(
  models: Models,
  settings: SurgeonSettings,
  untrained?: UntrainedTokens,
): readonly PlannedMatrix[] {
  const { model, donor } = models
  // Whatever is left out or approximated otherwise: nothing is to be done where nothing changes.
  const isSame = isSameVocabulary(model.tokenizer, donor.tokenizer) && !settings.magikarp
  const of = (side: Side, own: VocabularyMatrix, other: VocabularyMatrix): PlannedMatrix => ({
    side,
    model: own,
    donor: other,
    rows: isSame
      ? undefined
      : planRows({
          model,
          donor,
          rows: {
            model: own.source.shape[0]!,
            donor: other.source.shape[0]!,
            out: outputRows(models, false),
          },
          side,
          settings,
          untrained,
        }),
  })
  return [
    of('embed', model.embedding, donor.embedding),
    ...(model.head === undefined ? [] : [of('lm_head', model.head, donor.head ?? donor.embedding)]),
  ]
}

/**
 * Decides what a transplant is made of: all tensors of MODEL, those over the vocabulary with the rows of DONOR's tokens, and DONOR's
 * tokenizer.
 * @throws SurgeonError, TokenizerError
 */
export async function assembleTransplant(
  inputs: MergeInputs,
  [modelInput, donorInput]: readonly [number, number],
  facts: TransplantFacts,
): Promise<TransplantAssembly> {
  const { settings, copyTokenizer } = facts
  const models: Models = { model: await readModel(inputs, modelInput), donor: await readModel(inputs, donorInput) }
  if (settings.method === 'mp_rope') [models.model, models.donor].forEach(rotationOf)
  const matrices = planMatrices(models, settings)
  const tensors = planTensors(models, matrices, facts)
  return {
    models,
    matrices,
    tensors,
    config: configOf(models, tensors, outputDtype(facts.config)),
    vocabulary: { ...vocabularyOf(models, copyTokenizer), decisions: decisionsOf(models, matrices, settings) },
    notes: notesOf(models, matrices, settings),
    warnings: warningsOf(models, matrices, settings),
  }
}

/** Lists the tensors of the output in the order of MODEL. @param fileOf gives the new rows of a matrix; absent: they are yet to be made */
export function planTensors(
  { model, donor }: Models,
  matrices: readonly PlannedMatrix[],
  { config }: Pick<TransplantFacts, 'config'>,
  fileOf: (matrix: PlannedMatrix) => TensorSource | undefined = () => undefined,
): readonly UnplacedTensor[] {
  const { checkpoint, input } = model
  const asked = outputDtype(config)
  const replaced = new Map<string, TensorSource>()
  for (const matrix of matrices)
    if (matrix.rows !== undefined) replaced.set(matrix.model.name, gathered(matrix, fileOf(matrix)))
  const [embedding] = matrices
  if (model.bias !== undefined && embedding?.rows !== undefined)
    replaced.set(model.bias.name, gatheredBias(model.bias.source, embedding.rows))
  return [...checkpoint.tensors].flatMap(([name, own]): readonly UnplacedTensor[] => {
    if (name === model.tiedHead) return []
    const source = replaced.get(name) ?? own
    const dtype = isFloat(own.dtype) ? (asked ?? ownDtype(own, checkpoint)) : own.dtype
    return [{ name, dtype, shape: source.shape, operation: { kind: 'copy', input: { input, name, source } } }]
  })

  function gathered({ model: { source }, rows }: PlannedMatrix, made: TensorSource | undefined): TensorSource {
    const { segments, targets } = rows!
    const width = source.shape[1]!
    const awaited: TensorSource = { kind: 'values', dtype: 'F32', shape: [targets.length, width] }
    return gatherSource({
      dtype: source.dtype,
      shape: [rowsForTokens(donor.tokenizer), width],
      segments,
      sourceOf: (number) => (number === 0 ? source : (made ?? awaited)),
    })
  }
}

/** Tokens that MODEL lacks get the mean of what those have that it knows. */
const gatheredBias = (source: TensorSource, { segments }: RowPlan): TensorSource =>
  gatherSource({
    dtype: source.dtype,
    shape: [segments.reduce((sum, { rowCount }) => sum + rowCount, 0)],
    segments: segments.map((segment) =>
      segment.kind === 'copy' && segment.source === 0
        ? segment
        : { kind: 'mean-of-others', rowCount: segment.rowCount },
    ),
    sourceOf: () => source,
  })

const isFloat = (dtype: Dtype): boolean => isDtype(dtype) && /^B?F\d/.test(dtype)

function configOf(
  { model }: Models,
  tensors: readonly UnplacedTensor[],
  asked: Dtype | undefined,
): Readonly<Record<string, unknown>> | undefined {
  const { checkpoint, embedding } = model
  if (checkpoint.config === undefined) return undefined
  const rows = tensors.find(({ name }) => name === embedding.name)!.shape[0]!
  const dequantized = [...checkpoint.tensors.values()].some(({ kind }) => kind === 'dequantized')
  const dtype =
    asked === undefined && !dequantized
      ? undefined
      : namesOfDtype[tensors.find(({ name }) => name === embedding.name)!.dtype]
  return reviseConfig(checkpoint.config, {
    vocabularySize: rows,
    donorVocabularySize: embedding.source.shape[0]!,
    dequantized,
    ...(dtype !== undefined && { dtype }),
  })
}

const namesOfDtype: Readonly<Partial<Record<Dtype, string>>> = {
  F64: 'float64',
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
}

/** Files of DONOR's tokenizer, and the ids that config files of MODEL have to name now. */
function vocabularyOf({ model, donor }: Models, copyTokenizer: boolean) {
  const [own, other] = [model, donor].map(({ label, tokenizer }) => ({
    label,
    tokenizer,
    embeddingRows: rowsForTokens(tokenizer),
  })) as [
    Parameters<typeof planVocabulary>[0]['models'][number],
    Parameters<typeof planVocabulary>[0]['models'][number],
  ]
  const isOne = model.input === donor.input
  const plan = planVocabulary({
    models: isOne ? [own] : [own, other],
    baseIndex: 0,
    setting: { kind: 'average-rows', source: { kind: 'model', model: isOne ? 0 : 1 } },
  })
  const files = plan.copy.map(
    (name): Pick<CheckpointFile, 'name' | 'elsewhere'> =>
      donor.checkpoint.files.find((file) => file.name === name) ?? { name },
  )
  const places = files.map(({ name, elsewhere }) => ({
    name,
    place: elsewhere ?? { file: joinPath(donor.checkpoint.folder!, name) },
  }))
  return {
    documents: copyTokenizer
      ? [
          ...[...plan.write].map(([name, text]) => ({ name, text })),
          ...places.flatMap(({ name, place }) => ('text' in place ? [{ name, text: place.text }] : [])),
        ]
      : [],
    copies: copyTokenizer
      ? places.flatMap(({ name, place }) => ('file' in place ? [{ name, from: place.file }] : []))
      : [],
    omitted: new Set(model.tokenizer.files),
    tokenIds: plan.tokenIds,
  }
}

function decisionsOf({ donor }: Models, matrices: readonly PlannedMatrix[], { method }: SurgeonSettings) {
  const rows = matrices[0]?.rows
  if (rows === undefined) return []
  return donor.tokens.flatMap(({ token, id }, index) => {
    const match = rows.matches[index]!
    if (match.kind === 'exact') return []
    const why =
      match.kind === 'new'
        ? `only ${donor.label} has it; its row is made by ${method}`
        : `row ${match.model} of the model, which ${match.kind === 'byte' ? 'stands for the same byte' : 'is its longest beginning'}`
    return [{ token, id, models: [donor.label], rule: 'only' as const, why }]
  })
}

function notesOf({ model, donor }: Models, matrices: readonly PlannedMatrix[], { method }: SurgeonSettings): string[] {
  const tied =
    model.tiedHead === undefined
      ? []
      : [`${model.label}: ${model.tiedHead} is not written, since the head is tied to the embedding`]
  if (matrices[0]?.rows === undefined)
    return [`${donor.label} has the tokens of ${model.label} with the same ids: no row changes`, ...tied]
  const told = matrices.map(({ rows, model: { name } }) => {
    const count = (kind: string) => rows!.matches.filter((match) => match.kind === kind).length
    const others = (['byte', 'prefix'] as const).flatMap((kind) =>
      count(kind) === 0 ? [] : [`${count(kind)} by ${kind === 'byte' ? 'their byte' : 'their beginning'}`],
    )
    return `${name}: ${counted(rows!.matches.length, 'token')} of ${donor.label}, ${count('exact')} of which ${model.label} has${others.length === 0 ? '' : `, ${others.join(', ')}`}; ${counted(rows!.targets.length, 'new row')} by ${method}`
  })
  const size = rowsForTokens(donor.tokenizer)
  const stored = donor.embedding.source.shape[0]!
  const padding =
    stored > size
      ? [
          `${donor.embedding.name} of ${donor.label} has ${stored - size} rows more than there are ids of tokens; the output has ${size} rows`,
        ]
      : []
  const beyond = [model, donor].flatMap(({ label, tokens, embedding }) => {
    const names = tokens.filter(({ id }) => id >= embedding.source.shape[0]!).map(({ token }) => token)
    return names.length === 0
      ? []
      : [
          `${label} has no row for ${counted(names.length, 'token')}, such as ${JSON.stringify(names[0])}: ${label === model.label ? 'not taken from there' : 'rows that are made of them are zeros'}`,
        ]
  })
  return [...told, ...padding, ...new Set(beyond), ...tied]
}

function warningsOf({ model, donor }: Models, matrices: readonly PlannedMatrix[], settings: SurgeonSettings): string[] {
  if (matrices[0]?.rows === undefined) return []
  const { k, method } = settings
  const shared = matrices[0].rows.shared.donor.length
  const few =
    ['omp', 'common_interpolation', 'stb', 'mp_rope'].includes(method) && shared < k && shared > 0
      ? [
          `only ${counted(shared, 'token')} of ${donor.label} ${shared === 1 ? 'is' : 'are'} in ${model.label}: new rows are made of all of them, and not of ${k}`,
        ]
      : []
  return [...few, ...numberWarnings(model, donor)]
}

function numberWarnings(model: VocabularyModel, donor: VocabularyModel): string[] {
  try {
    const reader = ({ tokenizer, tokens }: VocabularyModel) => ({ splitter: createSplitter(tokenizer), tokens })
    const found = findSplitNumber(reader(model), reader(donor))
    if (found === undefined) return []
    return [
      `numbers are split otherwise: ${found.number} is ${found.model} for ${model.label} and ${found.donor} for ${donor.label}; the output computes worse until it is trained (arXiv 2506.06607)`,
    ]
  } catch {
    // A tokenizer that can't be run here says nothing of numbers, and is none the worse.
    return []
  }
}
