import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  goldens,
  type LoadedTensor,
  loadTensors,
  type Made,
  modelPath,
  readJson,
  rowOf,
  useFolder,
  sameBytes,
} from './__fixtures__/models.ts'
import type { TransplantRequest } from './index.ts'

const outputs = useFolder()
const cases = readdirSync(join(goldens, 'siblings')).filter((name) => name.startsWith('tokensurgeon-'))

const flags: Readonly<Record<string, (value: string) => Omit<TransplantRequest, 'model' | 'donor'>>> = {
  '-k': (k) => ({ k: Number(k) }),
  '-a': (method) => ({ method: method as never }),
  '-w': (weightScheme) => ({ weightScheme: weightScheme as never }),
  '-s': (subwordMethod) => ({ subwordMethod: subwordMethod as never }),
  '-pm': (prefixMatch) => ({ prefixMatch: prefixMatch as never }),
  '-bm': (byteMatch) => ({ byteMatch: byteMatch as never }),
  '-nvs': (scale) => ({ newVocabScale: Number(scale) }),
}

function requestOf(name: string) {
  const { arguments: given } = readJson(join(goldens, 'siblings', name), 'command.json') as { arguments: string[] }
  const [model, donor] = given.map((arg) => modelPath(arg.replace('models/', '')))
  let settings = {}
  for (let index = 3; index < given.length; index++) {
    const flag = given[index]!
    if (flag === '-c') settings = { ...settings, cosineSimilarity: true }
    else if (flag === '--magikarp') settings = { ...settings, magikarp: true }
    else settings = { ...settings, ...flags[flag]!(given[++index]!) }
  }
  return { model: model!, donor: donor!, ...settings }
}

const made = new Map<string, Promise<Made>>()
/** The output of a case, which is made once. */
function makeCase(name: string): Promise<Made> {
  const known = made.get(name) ?? outputs.make(requestOf(name))
  made.set(name, known)
  return known
}

const loaded = new Map<string, ReturnType<typeof loadTensors>>()
/** All tensors of a model, which is read once. */
function loadModel(folder: string): ReturnType<typeof loadTensors> {
  const known = loaded.get(folder) ?? loadTensors(folder)
  loaded.set(folder, known)
  return known
}

const names = ['model.embed_tokens.weight', 'lm_head.weight'] as const

/** Tokens of `llama-other` that `llama-base` lacks. */
const newTokens = [
  '0',
  '▁a',
  '▁o',
  'ode',
  'ver',
  '▁i',
  '▁r',
  '▁in',
  '▁an',
  '▁mer',
  '▁mode',
  '▁of',
  '▁models',
  '(1',
  '(i',
  '0):',
  '<pad>',
]
const startWords = newTokens.filter((token) => token.startsWith('▁'))
/** As mergekit has a word's beginning for a letter like any other, its beginning is `▁`. */
const longerThanSpace = ['▁mer', '▁mode', '▁models']
const idsOf = (folder: string) => {
  const { model, added_tokens: added } = readJson(folder, 'tokenizer.json') as {
    model: { vocab: Record<string, number> }
    added_tokens: { id: number; content: string }[]
  }
  return new Map([...Object.entries(model.vocab), ...added.map(({ id, content }) => [content, id] as const)])
}

/** Tokens whose rows are another's on purpose, or drawn. */
function otherTokens(name: string): readonly string[] {
  if (/randn|john|landmark/.test(name)) return newTokens
  // A word begins within a token only where the token says so.
  if (/subword|scale/.test(name)) return newTokens.filter((token) => !startWords.includes(token))
  // A space alone is no beginning; and `lm_head` means the head.
  if (name.endsWith('-prefix')) return startWords.filter((token) => !longerThanSpace.includes(token))
  if (name.endsWith('-prefix-lm')) return newTokens
  return []
}

describe('what mergekit-tokensurgeon made', () => {
  it.each(cases)('%s', async (name) => {
    const request = requestOf(name)
    const expected = join(goldens, 'siblings', name, 'expected')
    const { out, tensors } = await makeCase(name)
    const golden = await loadTensors(expected)
    expect(readJson(out)).toEqual(readJson(expected))
    expect(readFileSync(join(out, 'tokenizer.json'), 'utf8')).toBe(
      readFileSync(join(request.donor, 'tokenizer.json'), 'utf8'),
    )
    const own = await loadModel(request.model)
    expect([...tensors.keys()].toSorted()).toEqual([...own.keys()].toSorted())
    const changed = [...own].flatMap(([tensor, { values }]) =>
      names.includes(tensor as never) || sameBytes(tensors.get(tensor)!.values, values) ? [] : [tensor],
    )
    expect(changed).toEqual([])
    const ids = idsOf(out)
    const passed = new Set(otherTokens(name).map((token) => ids.get(token)))
    for (const tensor of names) {
      const [made, right] = [tensors.get(tensor)!, golden.get(tensor)!]
      expect([made.dtype, made.shape]).toEqual([right.dtype, right.shape])
      const size = Math.sqrt(right.values.reduce((sum, value) => sum + value * value, 0) / right.values.length)
      const tolerance = right.dtype === 'BF16' ? 2e-2 : 1e-3
      const width = right.shape[1]!
      const off = new Set<number>()
      made.values.forEach((value, at) => {
        if (!(Math.abs(value - right.values[at]!) <= tolerance * size)) off.add(Math.floor(at / width))
      })
      for (const row of passed) off.delete(row!)
      expect([...off]).toEqual([])
    }
  })

  it.each(['prefix', 'prefix-lm'])('%s: mergekit is not followed where it is wrong', async (which) => {
    const request = requestOf(`tokensurgeon-${which}`)
    const { tensors } = await makeCase(`tokensurgeon-${which}`)
    const [own, ids, modelIds] = [await loadModel(request.model), idsOf(request.donor), idsOf(request.model)]
    const isMean = (name: string, token: string) => {
      const matrix = own.get(name)!
      const [rows, width] = matrix.shape as readonly [number, number]
      const mean = Array.from({ length: width }, (_, at) =>
        Array.from({ length: rows }, (__, row) => rowOf(matrix, row)[at]!).reduce(
          (sum, value) => sum + value / rows,
          0,
        ),
      )
      return rowOf(tensors.get(name)!, ids.get(token)!).every((value, at) => Math.abs(value - mean[at]!) < 1e-6)
    }
    const is = (name: string, token: string, of: string) =>
      String(rowOf(tensors.get(name)!, ids.get(token)!)) === String(rowOf(own.get(name)!, modelIds.get(of)!))
    for (const name of names) {
      expect(isMean(name, '▁of')).toBe(true)
      const isMatched = which === 'prefix' || name === 'lm_head.weight'
      expect(is(name, '▁models', '▁m')).toBe(isMatched)
      expect(isMean(name, 'ode')).toBe(!isMatched)
    }
  })

  it('subword: pieces are those of the text alone', async () => {
    const request = requestOf('tokensurgeon-subword-sum')
    const { tensors } = await makeCase('tokensurgeon-subword-sum')
    const [own, ids, modelIds] = [await loadModel(request.model), idsOf(request.donor), idsOf(request.model)]
    for (const name of names)
      for (const [token, pieces] of [
        ['ode', ['o', 'de']],
        ['(i', ['(', 'i']],
      ] as const) {
        const rows = pieces.map((piece) => rowOf(own.get(name)!, modelIds.get(piece)!))
        const sum = rows[0]!.map((value, at) => Math.fround(value + rows[1]![at]!))
        expect(rowOf(tensors.get(name)!, ids.get(token)!)).toEqual(sum)
      }
  })

  it.each(['randn', 'john'])('%s: rows are drawn from the same distribution', async (which) => {
    const name = `tokensurgeon-${which}`
    const { tensors } = await makeCase(name)
    const golden = await loadTensors(join(goldens, 'siblings', name, 'expected'))
    const ids = newTokens.map((token) => idsOf(modelPath('llama-other')).get(token)!)
    const spread = (all: ReadonlyMap<string, LoadedTensor>) => {
      const values = names.flatMap((tensor) => ids.flatMap((id) => rowOf(all.get(tensor)!, id)))
      return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length)
    }
    expect(Math.abs(spread(tensors) / spread(golden) - 1)).toBeLessThan(0.12)
  })
})
