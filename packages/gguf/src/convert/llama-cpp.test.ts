import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { layoutGguf } from '../layout.ts'
import type { GgufModelPlan } from '../tensor-plan.ts'
import { madeCases, readCase, requestOf, trainedCases } from './__fixtures__/cases.ts'
import { type LoadedModel, openLlama } from './__fixtures__/llama.ts'
import { ggufFile } from './__fixtures__/plain-file.ts'
import type { NamedShape } from './map-tensors.ts'
import { planConversion } from './plan-conversion.ts'

const { llama, missing } = await openLlama()
const splits: {
  readonly vocab: Readonly<Record<string, number>>
  readonly merges: readonly unknown[]
  readonly cases: readonly SplitCase[]
} = JSON.parse(readFileSync(new URL('__fixtures__/splits.json', import.meta.url), 'utf8'))

/** How far log-probabilities may be from those of transformers in float32: of each token, and on the average of the text. */
const bounds = [
  ['F32', 2e-3, 2e-3],
  ['F16', 2e-3, 2e-3],
  // Experts are chosen: a token near the edge between two of them may differ by more than rounding.
  ['Q8_0', 0.3, 0.03],
] as const

if (missing !== '') console.warn(`llama-cpp.test.ts${missing}`)

describe.skipIf(llama === undefined)(`llama.cpp loads what is written${missing}`, () => {
  let folder: string
  beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'llama-'))))
  const loaded: LoadedModel[] = []
  const load = async (file: string): Promise<LoadedModel> => {
    const model = await llama!.load(file)
    loaded.push(model)
    return model
  }
  afterEach(async () => {
    await Promise.all(loaded.splice(0).map((model) => model.close()))
  })
  afterAll(async () => {
    rmSync(folder, { recursive: true })
    await llama?.close()
  })

  describe.each([...madeCases, ...trainedCases])('%s', (name) => {
    const { text, expected } = readCase(name)

    it.each(bounds)('computes what transformers does, as %s', async (type, ofEach, onAverage) => {
      const file = join(folder, `${name}.gguf`)
      writeFileSync(file, ggufFile(name, type))
      const model = await load(file)
      expect(model.tokenize(text)).toEqual(expected.plainIds)
      const logProbabilities = await model.logProbabilities(expected.ids)
      const distances = expected.best.flatMap((best, index) => {
        const at = logProbabilities[index]!
        const next = expected.ids[index + 1]
        return [
          Math.abs(at(best) - expected.bestValues[index]!),
          ...(next === undefined ? [] : [Math.abs(at(next) - expected.following[index]!)]),
        ]
      })
      expect(distances.length).toBe(2 * expected.ids.length - 1)
      expect(Math.max(...distances)).toBeLessThan(ofEach)
      expect(distances.reduce((sum, distance) => sum + distance, 0) / distances.length).toBeLessThan(onAverage)
    })
  })

  it.each(trainedCases)('%s continues a prompt as transformers does', async (name) => {
    const { prompt, text } = readCase(name).continuation!
    const file = join(folder, `${name}.gguf`)
    writeFileSync(file, ggufFile(name, 'F32'))
    const model = await load(file)
    expect(await model.complete(prompt, 20)).toBe(text)
  })

  it.each(['gemma2', 'phi3', 'mixtral'])(
    'tokenizes as %s does where tokenizer.json is all that is left',
    async (name) => {
      const { sentencePiece: _, ...request } = requestOf(name, 'F32')
      const file = join(folder, `${name}.gguf`)
      writeFileSync(file, emptyFile(planConversion(request).plan))
      const model = await load(file)
      expect(model.tokenize(readCase(name).text)).toEqual(readCase(name).expected.plainIds)
    },
  )

  it('joins pieces in the order of the merges of a tokenizer.json', async () => {
    const request = requestOf('mistral-json', 'F32')
    const tokenizer: { model: Record<string, object> & { vocab: Record<string, number> } } = JSON.parse(
      request.documents.get('tokenizer.json')!,
    )
    const bytes = Object.entries(tokenizer.model.vocab)
      .filter(([, id]) => id < 3 + 256)
      .toSorted(([, a], [, b]) => a - b)
    const pieces = [...bytes.map(([piece]) => piece), '▁', 'a', 'b', 'c', 'ab', 'bc']
    tokenizer.model.vocab = Object.fromEntries(pieces.map((piece, id) => [piece, id]))
    tokenizer.model['merges'] = ['b c', 'a b']
    const documents = new Map([...request.documents, ['tokenizer.json', JSON.stringify(tokenizer)]])
    const file = join(folder, 'merges.gguf')
    writeFileSync(
      file,
      emptyFile(planConversion({ ...request, documents, tensors: withRows(request.tensors, pieces.length) }).plan),
    )
    // With equal scores it would be ▁, ab, c.
    expect((await load(file)).tokenize('abc').map((id) => pieces[id])).toEqual(['▁', 'a', 'bc'])
  })

  it.each(splits.cases)(
    'splits text as the pre-tokenizer that is recognized as $name',
    async ({ name, text, ids, ...definition }) => {
      const file = join(folder, `${name}.gguf`)
      writeFileSync(file, vocabularyFile(name, definition))
      const model = await load(file)
      expect(model.tokenize(text)).toEqual(ids)
    },
  )
})

interface SplitCase {
  readonly name: string
  readonly preTokenizer: unknown
  readonly ignoreMerges: boolean
  readonly text: string
  readonly ids: readonly number[]
}

/** The file of a model without sense that has the vocabulary of the splits, and their way of splitting. */
function vocabularyFile(
  name: string,
  { preTokenizer, ignoreMerges }: Pick<SplitCase, 'preTokenizer' | 'ignoreMerges'>,
): Uint8Array {
  const { vocab, merges } = splits
  const tokenizer = { model: { type: 'BPE', vocab, merges, ignore_merges: ignoreMerges }, pre_tokenizer: preTokenizer }
  const request = requestOf('llama3', 'F32')
  const rows = Object.keys(vocab).length
  const { plan } = planConversion({
    ...request,
    tensors: withRows(request.tensors, rows),
    documents: new Map([['tokenizer.json', JSON.stringify(tokenizer)]]),
  })
  expect(plan.metadata.get('tokenizer.ggml.pre')).toEqual({ type: 'string', value: name })
  return emptyFile(plan)
}

const withRows = (tensors: readonly NamedShape[], rows: number): NamedShape[] =>
  tensors.map((tensor) => (/embed|lm_head/.test(tensor.name) ? { ...tensor, shape: [rows, 64] } : tensor))

/** A file whose weights are all zero. */
function emptyFile({ metadata, tensors }: GgufModelPlan): Uint8Array {
  const { header, fileBytes } = layoutGguf(
    metadata,
    tensors.map((tensor) => ({ ...tensor, type: 'F32' })),
  )
  const file = new Uint8Array(fileBytes)
  file.set(header)
  return file
}
