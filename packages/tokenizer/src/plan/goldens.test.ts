import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type MergeConfig, type ModelReference, parseConfig, sameModel, type SourceConfig } from '@mk/config'
import { readTensor } from '@mk/safetensors/node'
import { describe, expect, it } from 'vitest'
import { planVocabulary, resolveTokenizerSetting, type VocabularyPlan } from '../index.ts'
import { outputTokens, ownRows } from '../__fixtures__/output-tokens.ts'
import { readTokenizer } from '../node/index.ts'

/** What mergekit produced, against the planned rows and a few lines of arithmetic for the methods in question. */
const goldens = fileURLToPath(new URL('../../../../goldens/', import.meta.url))
const tensors = ['model.embed_tokens.weight', 'lm_head.weight'] as const
const columns = 24
const cases: Record<string, Combine> = {
  'tokenizer-base': linear,
  'tokenizer-model': linear,
  'tokenizer-union': linear,
  'tokenizer-union-padded': linear,
  'tokenizer-tokens-pad': linear,
  'tokenizer-slerp-union': slerp,
  'early-tokenizer-base': linear,
  'early-tokenizer-model': linear,
  'early-tokenizer-union': linear,
  'early-tokenizer-ties-union': linear,
  'early-slerp-union': linear,
  'early-slerp-union-embed-slerp': slerp,
}

describe.each(Object.entries(cases))('%s', (name, combine) => {
  it('plans the rows and tokens that mergekit wrote', async () => {
    const folder = `${goldens}cases/${name}/`
    const { config } = parseConfig(await readFile(`${folder}config.yml`, 'utf8'))
    const sources = config.modules[0]!.slices[0]!.sources
    const models = listModels(config, sources)
    const setting = resolveTokenizerSetting(config.tokenizer!, (model) =>
      models.findIndex((other) => sameModel(model, other)),
    )
    const inputs = await Promise.all(
      models.map(async ({ path }) => ({
        label: path,
        tokenizer: await readTokenizer(goldens + path),
        embeddingRows: (await embeddingOf(`${goldens}${path}/model.safetensors`, tensors[0])).length,
      })),
    )
    const baseIndex = config.baseModel && models.findIndex((model) => sameModel(model, config.baseModel!))
    const plan = planVocabulary({ models: inputs, baseIndex, setting })

    const expected = await readTokenizer(`${folder}expected`)
    if (!('ids' in expected)) throw new Error('a golden has a tokenizer')
    const tokens = outputTokens(plan, inputs)
    expect(tokens.filter((token) => token !== undefined).sort()).toEqual([...expected.ids.keys()].sort())
    expect(tokens.slice(0, 64)).toEqual(
      [...expected.ids]
        .sort((a, b) => a[1] - b[1])
        .map(([token]) => token)
        .slice(0, 64),
    )

    const file = `${folder}expected/${name.startsWith('early') ? 'model-00001-of-00001' : 'model'}.safetensors`
    for (const tensor of tensors) {
      const matrices = await Promise.all(
        models.map(({ path }) => embeddingOf(`${goldens}${path}/model.safetensors`, tensor)),
      )
      const ours = combine(complete(plan, matrices), plan, config, sources, models)
      const theirs = await embeddingOf(file, tensor)
      expect(plan.rowCount).toBe(theirs.length)
      const size = Math.sqrt(theirs.flat().reduce((sum, x) => sum + x * x, 0) / (theirs.length * columns))
      const different: string[] = []
      for (const [id, row] of ours.entries()) {
        const token = tokens[id]
        const wanted = theirs[token === undefined ? id : expected.ids.get(token)!]!
        for (const [column, value] of row.entries())
          if (!(Math.abs(value - wanted[column]!) <= 2e-5 * Math.max(Math.abs(wanted[column]!), size)))
            different.push(`${tensor} ${String(token)} ${column}`)
      }
      expect(different).toEqual([])
    }
  })
})

type Matrix = readonly (readonly number[])[]
type Combine = (
  completed: readonly Matrix[],
  plan: VocabularyPlan,
  config: MergeConfig,
  sources: readonly SourceConfig[],
  models: readonly ModelReference[],
) => Matrix

/** A base that is not listed comes last, as in mergekit. */
function listModels({ baseModel }: MergeConfig, sources: readonly SourceConfig[]): ModelReference[] {
  const models = sources.map(({ model }) => model)
  return baseModel === undefined || models.some((model) => sameModel(model, baseModel))
    ? models
    : [...models, baseModel]
}

async function embeddingOf(file: string, tensor: string): Promise<number[][]> {
  const bytes = await readTensor(file, tensor)
  const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
  return Array.from({ length: values.length / columns }, (_, row) => [
    ...values.subarray(row * columns, (row + 1) * columns),
  ])
}

const mean = (rows: Matrix): number[] =>
  Array.from({ length: columns }, (_, column) => rows.reduce((sum, row) => sum + row[column]!, 0) / rows.length)

function complete(plan: VocabularyPlan, matrices: readonly Matrix[]): Matrix[] {
  return plan.models.map(({ segments }) => {
    const rows = segments.flatMap((segment): (readonly number[] | undefined)[] => {
      const repeated = (row: readonly number[] | undefined) => Array.from({ length: segment.rowCount }, () => row)
      if (segment.kind === 'copy') return matrices[segment.source]!.slice(segment.row, segment.row + segment.rowCount)
      if (segment.kind === 'mean') return repeated(mean(segment.of.map(({ source, row }) => matrices[source]![row]!)))
      return repeated(segment.kind === 'zero' ? Array.from({ length: columns }, () => 0) : undefined)
    })
    const others = mean(rows.filter((row) => row !== undefined))
    return rows.map((row) => row ?? others)
  })
}

function linear(
  completed: readonly Matrix[],
  plan: VocabularyPlan,
  _config: MergeConfig,
  sources: readonly SourceConfig[],
): Matrix {
  const weights = completed.map((_, m) => scalar(sources[m]?.parameters.settings.get('weight')) ?? 1)
  return weighted(completed, plan, weights)
}

function weighted(completed: readonly Matrix[], plan: VocabularyPlan, weights: readonly number[]): Matrix {
  const own = plan.models.map((_, m) => ownRows(plan, m))
  return completed[0]!.map((row, id) => {
    const shares = weights.map((weight, m) => (plan.kind === 'complete-rows' || own[m]![id] === 1 ? weight : 0))
    const total = shares.reduce((sum, share) => sum + share, 0)
    return row.map(
      (_, column) => completed.reduce((sum, matrix, m) => sum + shares[m]! * matrix[id]![column]!, 0) / total,
    )
  })
}

/** The whole matrices are one vector each, absent rows as zeros; a row that only one has is taken from it. */
function slerp(
  completed: readonly Matrix[],
  plan: VocabularyPlan,
  config: MergeConfig,
  _sources: readonly SourceConfig[],
  models: readonly ModelReference[],
): Matrix {
  const t = scalar(config.parameters.settings.get('t'))!
  const base = models.findIndex((model) => sameModel(model, config.baseModel!))
  const [from, to] = [completed[base]!, completed[1 - base]!]
  const dot = (a: Matrix, b: Matrix): number =>
    a.reduce((sum, row, i) => sum + row.reduce((part, x, j) => part + x * b[i]![j]!, 0), 0)
  const angle = Math.acos(dot(from, to) / Math.sqrt(dot(from, from) * dot(to, to)))
  const [s0, s1] = [Math.sin((1 - t) * angle) / Math.sin(angle), Math.sin(t * angle) / Math.sin(angle)]
  const own = plan.models.map((_, m) => ownRows(plan, m))
  const single = weighted(completed, plan, [1, 1])
  return from.map((row, id) => {
    const isShared = plan.kind === 'complete-rows' || own.every((rows) => rows[id] === 1)
    return isShared ? row.map((x, column) => s0 * x + s1 * to[id]![column]!) : single[id]!
  })
}

function scalar(setting: { readonly kind: string; readonly value?: unknown } | undefined): number | undefined {
  return setting?.kind === 'scalar' && typeof setting.value === 'number' ? setting.value : undefined
}
