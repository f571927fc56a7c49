import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { issueErrorOf } from '@mk/errors'
import { runMerge } from '@mk/merge'
import { describe, expect, it } from 'vitest'
import {
  type LoadedTensor,
  loadTensors,
  modelPath,
  readJson,
  rowOf,
  sameBytes,
  useFolder,
} from './__fixtures__/models.ts'
import { approximationMethods, prepareTokensurgeon } from './index.ts'

const folder = useFolder()
const [base, other] = [modelPath('llama-base'), modelPath('llama-other')]
const [embedding, head] = ['model.embed_tokens.weight', 'lm_head.weight']
const issueOf = async (work: Promise<unknown>) => {
  const error: unknown = await work.then(
    () => undefined,
    (caught: unknown) => caught,
  )
  return issueErrorOf(error) ?? { code: String(error), message: String(error) }
}
const bytesOf = (out: string) => readFileSync(join(out, 'model.safetensors'))
const withTensor = (name: string, edit: (tensor: LoadedTensor) => LoadedTensor) => (all: Map<string, LoadedTensor>) =>
  new Map([...all].map(([key, tensor]) => [key, key === name ? edit(tensor) : tensor]))
const withRow =
  (row: number, value: number) =>
  (tensor: LoadedTensor): LoadedTensor => {
    const values = tensor.values.slice()
    values.fill(value, row * tensor.shape[1]!, (row + 1) * tensor.shape[1]!)
    return { ...tensor, values }
  }

it('tells of new rows that float16 cannot hold as what overflows, by tensor', async () => {
  const asHalf = (tensor: LoadedTensor): LoadedTensor => ({ ...tensor, dtype: 'F16' })
  const model = await folder.change('llama-base', {
    tensors: (all) => new Map([...all].map(([name, tensor]) => [name, asHalf(tensor)])),
  })
  const made = await prepareTokensurgeon({ model, donor: other, method: 'zero', newVocabNoise: 1e6 }, {})
  const out = join(folder.root, 'overflow')
  const plan = await made.download({ out, threads: 0 })
  const options = { methods: made.methods, threads: 0, out }
  const { nonFinite } = await runMerge(plan, options)
  expect(nonFinite.map(({ tensor }) => tensor).toSorted()).toEqual([head, embedding])
  for (const { inputs, results, overflow } of nonFinite) {
    expect({ inputs, overflow }).toEqual({ inputs: [], overflow: results })
    expect(results).toBeGreaterThan(100)
  }
  const strict = runMerge(plan, { ...options, out: `${out}-strict`, strict: true })
  await expect(strict).rejects.toMatchObject({ code: 'values-not-finite' })
  await made.release!()
})

describe('laws', () => {
  it.each(['llama-base', 'llama-padded', 'gpt2-base', 'qwen-base', 'tiny-code'])(
    'the tokenizer of %s in its own place changes no byte',
    async (name) => {
      const model = modelPath(name)
      const { out, plan } = await folder.make({ model, donor: model })
      const copied = readdirSync(model).filter((file) => !/^README|^LICENSE|\.safetensors$/.test(file))
      const texts = (place: string) => copied.map((file) => [file, readFileSync(join(place, file), 'utf8')])
      expect(texts(out)).toEqual(texts(model))
      const [own, made] = [await loadTensors(model), await loadTensors(out)]
      for (const [tensor, { values, dtype }] of made) {
        expect(dtype).toBe(own.get(tensor)!.dtype)
        expect(sameBytes(values, own.get(tensor)!.values)).toBe(true)
      }
      expect(plan.notes.join()).toContain('no row changes')
    },
  )

  it('a vocabulary that is there and back again has the rows that stayed', async () => {
    const there = await folder.make({ model: base, donor: other })
    const back = await folder.make({ model: there.out, donor: base })
    const own = await loadTensors(base)
    // '1' is in both: its row went there and came back.
    const [ids] = [(readJson(base, 'tokenizer.json') as { model: { vocab: Record<string, number> } }).model.vocab]
    for (const token of ['1', '▁the', '<s>'])
      expect(rowOf(back.tensors.get(embedding!)!, ids[token]!)).toEqual(rowOf(own.get(embedding!)!, ids[token]!))
  })

  it.each(approximationMethods)('%s gives the same bytes in any batches', async (method) => {
    const settings = { model: base, donor: other, method, k: 6, newVocabNoise: 0.01 }
    const rows = await folder.computeRows(settings)
    expect(rows.map(({ byteLength }) => byteLength)).toEqual([17 * 24 * 4, 17 * 24 * 4])
    expect(await folder.computeRows({ ...settings, batchSize: 1 })).toEqual(rows)
  })

  it('draws otherwise by another seed, and noise is on new rows only', async () => {
    const settings = { model: base, donor: other, method: 'randn' } as const
    const [first, second] = [await folder.make(settings), await folder.make(settings, { seed: 1 })]
    expect(bytesOf(first.out).equals(bytesOf(second.out))).toBe(false)
    const plain = await folder.make({ model: base, donor: other, method: 'zero' })
    const noisy = await folder.make({ model: base, donor: other, method: 'zero', newVocabNoise: 0.5, newVocabScale: 2 })
    const [a, b] = [plain.tensors.get(head!)!, noisy.tensors.get(head!)!]
    const isNew = Array.from({ length: 73 }, (_, row) => rowOf(a, row).every((value) => value === 0))
    const rowsThat = (tensor: LoadedTensor, are: boolean) =>
      isNew.flatMap((flag, row) => (flag === are ? rowOf(tensor, row) : []))
    expect(rowsThat(b, false)).toEqual(rowsThat(a, false))
    const drawn = rowsThat(b, true)
    expect(drawn).toHaveLength(17 * 24)
    expect(Math.sqrt(drawn.reduce((sum, value) => sum + value ** 2, 0) / drawn.length)).toBeCloseTo(1, 0)
  })
})

describe('models', () => {
  it('of another width, of other families, tied and in bfloat16 are taken as they are', async () => {
    const wide = await folder.make({ model: base, donor: modelPath('gpt2-base'), k: 4 })
    const rows = (readJson(modelPath('gpt2-base')) as { vocab_size: number }).vocab_size
    expect(wide.tensors.get(embedding!)!.shape).toEqual([rows, 24])
    const tied = await folder.make({ model: modelPath('gpt2-base'), donor: other, method: 'subword' })
    expect(tied.tensors.get('transformer.wte.weight')?.shape[0] ?? tied.tensors.get('wte.weight')?.shape[0]).toBe(73)
    expect(tied.tensors.has(head!)).toBe(false)
    for (const method of ['landmark_pca', 'stb', 'omp'] as const) {
      const made = await folder.make({ model: modelPath('qwen-base'), donor: other, method, k: 3 })
      expect(made.tensors.get(embedding!)!.values.every(Number.isFinite)).toBe(true)
      expect(readJson(made.out)['vocab_size']).toBe(73)
    }
  })

  it('keep dtype, and get ids, tokenizer and generation config of the donor', async () => {
    const donor = await folder.change('llama-other', {
      config: { eos_token_id: 72, pad_token_id: 72 },
      files: { 'generation_config.json': (text) => JSON.stringify({ ...JSON.parse(text), eos_token_id: [2, 72] }) },
    })
    const model = modelPath('llama16-base')
    const { out, tensors } = await folder
      .make({ model, donor, method: 'mean' }, { shardBytes: 20_000 })
      .catch(async () => ({ out: '', tensors: new Map<string, LoadedTensor>() }))
    expect(out).not.toBe('')
    const own = await loadTensors(model)
    expect(tensors.get(embedding!)!.dtype).toBe(own.get(embedding!)!.dtype)
    expect(readJson(out)).toMatchObject({ vocab_size: 73, eos_token_id: 72, pad_token_id: 72 })
    expect(readJson(out, 'generation_config.json')['eos_token_id']).toEqual([2, 72])
    expect(existsSync(join(out, 'model.safetensors.index.json'))).toBe(true)
    expect(readFileSync(join(out, 'README.md'), 'utf8')).toContain('tokensurgeon')
  })

  it('with a bias over the vocabulary keep it, with its mean for new tokens', async () => {
    const bias = Float32Array.from({ length: 64 }, (_, index) => index)
    const model = await folder.change('llama-base', {
      tensors: (all) => all.set('lm_head.bias', { dtype: 'F32', shape: [64], values: bias }),
    })
    const { tensors } = await folder.make({ model, donor: other, method: 'zero' })
    const made = tensors.get('lm_head.bias')!
    expect(made.shape).toEqual([73])
    const ids = (folderName: string) =>
      (readJson(folderName, 'tokenizer.json') as { model: { vocab: Record<string, number> } }).model.vocab
    expect(made.values[ids(other)['▁the']!]).toBe(ids(base)['▁the'])
    const kept = Object.entries(ids(other)).flatMap(([token]) => (token in ids(base) ? [ids(base)[token]!] : []))
    expect(made.values[72]).toBeCloseTo(kept.reduce((sum, value) => sum + value, 0) / kept.length, 3)
  })

  it('that are adapted, or pickles, are read as other commands read them', async () => {
    const adapted = await folder.make({ model: `${base}+${modelPath('lora-qvd')}`, donor: other, method: 'mean' })
    expect(adapted.tensors.get(embedding!)!.shape).toEqual([73, 24])
    const pickled = await folder.make({ model: modelPath('pickle-base'), donor: other, k: 4 })
    expect(pickled.tensors.get(embedding!)!.shape).toEqual([73, 24])
    const there = await folder.make({ model: other, donor: modelPath('pickle-base'), k: 4 })
    expect(there.tensors.get(embedding!)!.values.every(Number.isFinite)).toBe(true)
  })

  it('with tokens beyond their matrix, padding and holes: rows are zeros, and it is told', async () => {
    const donor = await folder.change('llama-other', {
      tensors: (all) => {
        const cut = (tensor: LoadedTensor) => ({ ...tensor, shape: [71, 24], values: tensor.values.slice(0, 71 * 24) })
        return new Map(
          [...all].map(([name, tensor]) => [name, [embedding, head].includes(name) ? cut(tensor) : tensor]),
        )
      },
      files: { 'tokenizer.json': (text) => text.replace('"id": 72', '"id": 80').replace('"id":72', '"id":80') },
    })
    const { tensors, plan } = await folder.make({ model: base, donor, k: 4 })
    const made = tensors.get(embedding!)!
    expect(made.shape).toEqual([81, 24])
    for (const row of [72, 75, 80]) expect(rowOf(made, row).every((value) => value === 0)).toBe(true)
    // 'al' is beyond the donor's matrix, but the model has it.
    expect(rowOf(made, 71)).toEqual(rowOf((await loadTensors(base)).get(embedding!)!, 51))
    expect(plan.notes.join('\n')).toContain('has no row for 2 tokens')
    expect(plan.warnings.join('\n')).toContain('"<pad>"')
    const longer = await folder.change('llama-other', {
      tensors: withTensor(embedding!, (tensor) => ({
        ...tensor,
        shape: [80, 24],
        values: Float32Array.from([...tensor.values, ...new Float32Array(7 * 24)]),
      })),
    })
    const padded = await folder.make({ model: base, donor: longer, k: 4 })
    expect(padded.tensors.get(embedding!)!.shape).toEqual([73, 24])
    expect(padded.plan.notes.join('\n')).toContain('has 7 rows more')
  })
})

describe('odd input', () => {
  it('NaN in rows: tokens with them are not compared, and what is made of them is zeros', async () => {
    const donor = await folder.change('llama-other', {
      tensors: (all) => withTensor(embedding!, (tensor) => withRow(6, Number.NaN)(withRow(9, Number.NaN)(tensor)))(all),
    })
    const { tensors, plan } = await folder.make({ model: base, donor, k: 4 })
    const made = tensors.get(embedding!)!
    expect(made.values.every(Number.isFinite)).toBe(true)
    expect(rowOf(made, 6).every((value) => value === 0)).toBe(true)
    expect(rowOf(made, 9)).toEqual(rowOf((await loadTensors(base)).get(embedding!)!, 8))
    expect(plan.warnings.join('\n')).toMatch(/1 new row could not be made.*"0"/)
    expect(plan.warnings.join('\n')).toContain('1 shared token with infinite values or NaN')
    const all = await folder.change('llama-base', {
      tensors: withTensor(embedding!, (tensor) => ({ ...tensor, values: tensor.values.map(() => Number.NaN) })),
    })
    expect((await issueOf(folder.make({ model: all, donor: other, method: 'mean' }))).code).toBe('surgeon-not-finite')
    expect((await issueOf(folder.make({ model: all, donor: other }))).code).toBe('surgeon-no-overlap')
  })

  it('fewer shared tokens than k: all of them, with a warning; none: an error', async () => {
    const { prepared } = await folder.make({ model: base, donor: other })
    expect(prepared.warnings.join()).toContain('only 56 tokens')
    const strange = await folder.change('llama-other', {
      files: {
        'tokenizer.json': (text) => {
          const document = JSON.parse(text) as {
            model: { vocab: Record<string, number>; merges: unknown[] }
            added_tokens: unknown[]
          }
          document.model.vocab = Object.fromEntries(Object.values(document.model.vocab).map((id) => [`字${id}`, id]))
          document.model.merges = []
          document.added_tokens = []
          return JSON.stringify(document).replace('"unk_token":"<unk>"', '"unk_token":null')
        },
        'tokenizer_config.json': () => '{}',
      },
    })
    for (const method of ['omp', 'common_interpolation', 'landmark_pca', 'stb', 'mp_rope'] as const)
      expect((await issueOf(folder.make({ model: base, donor: strange, method }))).code).toBe('surgeon-no-overlap')
    const made = await folder.make({ model: base, donor: strange, method: 'mean' })
    expect(made.tensors.get(embedding!)!.shape[0]).toBe(72)
  })

  it.each([
    [{ k: 0 }, 'surgeon-setting'],
    [{ k: 1.5, method: 'stb' }, 'surgeon-setting'],
    [{ method: 'best' }, 'surgeon-setting'],
    [{ newVocabNoise: -1 }, 'surgeon-setting'],
    [{ prefixMatch: 'head' }, 'surgeon-setting'],
  ])('%j is refused', async (settings, code) => {
    const work = prepareTokensurgeon({ model: base, donor: other, ...(settings as object) }, {})
    expect(await issueOf(work)).toMatchObject({ code, fault: 'usage' })
  })

  it('k 0 where nothing is made of k tokens is no fault', async () => {
    const { tensors } = await folder.make({ model: base, donor: other, method: 'mean', k: 0 })
    expect(tensors.get(embedding!)!.shape).toEqual([73, 24])
  })

  it('several embeddings, no tokenizer, no rotation, and pieces that nothing can split have an error of their own', async () => {
    const double = await folder.change('llama-base', {
      tensors: (all) => all.set('model.embed_tokens_per_layer.weight', { ...all.get(embedding!)! }),
    })
    expect((await issueOf(prepareTokensurgeon({ model: double, donor: other }, {}))).code).toBe('surgeon-embedding')
    const bare = await folder.change('llama-base', {
      files: { 'tokenizer.json': () => '{"model": {"type": "BPE", "vocab": {}, "merges": []}}' },
    })
    expect((await issueOf(folder.make({ model: bare, donor: other, method: 'subword' }))).code).not.toMatch(
      /^TypeError/,
    )
    expect(
      (await issueOf(prepareTokensurgeon({ model: modelPath('gpt2-base'), donor: other, method: 'mp_rope' }, {}))).code,
    ).toBe('surgeon-rope')
    const { rmSync } = await import('node:fs')
    const none = await folder.change('llama-base', {})
    rmSync(join(none, 'tokenizer.json'))
    expect((await issueOf(prepareTokensurgeon({ model: none, donor: other }, {}))).code).toBe('surgeon-tokenizer')
  })

  it('numbers that are split otherwise are warned of', async () => {
    const donor = await folder.change('tiny-code', {})
    const { warnings } = await prepareTokensurgeon({ model: modelPath('tiny-base'), donor }, {})
    expect(warnings).toEqual([])
    const pairs = await folder.change('tiny-code', {
      files: {
        'tokenizer.json': (text) => {
          const document = JSON.parse(text) as { model: { vocab: Record<string, number>; merges: unknown[] } }
          document.model.vocab['42'] ??= 1600
          document.model.merges.unshift(Array.isArray(document.model.merges[0]) ? ['4', '2'] : '4 2')
          return JSON.stringify(document)
        },
      },
    })
    expect((await prepareTokensurgeon({ model: modelPath('tiny-base'), donor: pairs }, {})).warnings.join()).toContain(
      'numbers are split otherwise',
    )
  })
})

describe('what is computed beforehand', () => {
  it('lies beside the output until it is released, and is used again', async () => {
    const out = join(folder.root, 'kept')
    const request = { model: base, donor: other, k: 5 }
    const prepare = async () => {
      const prepared = await prepareTokensurgeon(request, {})
      const told: string[] = []
      const plan = await prepared.download({ out, threads: 0, onCompute: ({ label }) => void told.push(label) })
      return { prepared, plan, told }
    }
    const list = () => readdirSync(folder.root).filter((name) => name.startsWith('.kept'))
    const first = await prepare()
    expect(first.told).toContain('making rows of the head')
    expect(list()).toHaveLength(1)
    const again = await prepare()
    expect(again.told).toEqual([])
    expect(again.plan).toEqual(first.plan)
    await runMerge(again.plan, { out, methods: again.prepared.methods, threads: 0 })
    await again.prepared.release!()
    expect(list()).toHaveLength(0)
  })

  it('is gone where it could not be finished, and ends by a signal', async () => {
    const controller = new AbortController()
    const out = join(folder.root, 'stopped')
    const prepared = await prepareTokensurgeon({ model: base, donor: other }, { hub: { signal: controller.signal } })
    const work = prepared.download({ out, threads: 0, onCompute: () => controller.abort(new Error('enough')) })
    await expect(work).rejects.toThrow('enough')
    expect(readdirSync(folder.root).filter((name) => name.startsWith('.stopped'))).toEqual([])
  })
})
