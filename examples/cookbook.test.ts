import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { planTaskMask, prepareDiff, writeTaskMask } from '@mk/inspect'
import { prepareMerge, runMerge } from '@mk/merge'
import { createPlanFile, finishMerge, readPlanFile, runPart, writePlanFile } from '@mk/merge/parts'
import { builtinMethods } from '@mk/methods'
import { createSafetensorsWriter, readSafetensorsHeader, readTensor } from '@mk/safetensors/node'
import { decode } from '@mk/tensor'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const examples = fileURLToPath(new URL('.', import.meta.url))
const outputs = mkdtempSync(join(tmpdir(), 'mk-cookbook-'))
afterAll(() => rmSync(outputs, { recursive: true }))

/** In the calling thread, from source: a worker can't start from there. */
const runtime = {
  name: 'wasm',
  module: import.meta.resolve('@mk/runtime-wasm'),
  factory: 'createWasmRuntime',
}

function prepare(name: string) {
  const file = join(examples, 'cookbook', `${name}.yml`)
  return prepareMerge({ text: readFileSync(file, 'utf8'), file, methods: builtinMethods })
}

async function merge(name: string) {
  const prepared = await prepare(name)
  const out = join(outputs, name)
  await runMerge(prepared.plan, { out, methods: prepared.methods, runtime, threads: 0 })
  const config = JSON.parse(readFileSync(join(out, 'config.json'), 'utf8')) as Record<string, unknown>
  return { out, warnings: prepared.warnings, config }
}

async function read(folder: string, name: string, dtype: 'BF16' | 'F16' = 'BF16'): Promise<number[]> {
  const bytes = await readTensor(join(folder, 'model.safetensors'), name)
  const count = bytes.length / 2
  const values = new Float32Array(count)
  decode(dtype, bytes, 0, values)
  return [...values]
}

const up = (layer: number) => `model.layers.${layer}.mlp.up_proj.weight`
const query = (layer: number) => `model.layers.${layer}.self_attn.q_proj.weight`
const model = (name: string) => join(examples, 'models', name)

interface Vectors {
  readonly base: number[]
  readonly code: number[]
  readonly prose: number[]
}
let inputs: Vectors
beforeAll(async () => {
  const [base, code, prose] = await Promise.all(
    ['tiny-base', 'tiny-code', 'tiny-prose'].map((name) => read(model(name), up(2))),
  )
  inputs = { base: base!, code: code!, prose: prose! }
})

/** As near as bfloat16 can be to what is computed plainly. */
function expectNear(actual: readonly number[], expected: (index: number) => number): void {
  const wrong = actual.filter((value, i) => Math.abs(value - expected(i)) > 2 ** -8 * Math.abs(expected(i)) + 1e-6)
  expect(wrong).toEqual([])
}
const share = (values: readonly number[], has: (value: number, index: number) => boolean) =>
  values.filter(has).length / values.length

/** What each recipe must have done, in one of the matrices. */
const facts: Readonly<Record<string, (out: string, vectors: Vectors) => Promise<void>>> = {
  '01-average': async (out, { code, prose }) => expectNear(await read(out, up(2)), (i) => (code[i]! + prose[i]!) / 2),
  '02-halfway': async (out, { code, prose }) => {
    const merged = await read(out, up(2))
    const length = (x: readonly number[]) => Math.hypot(...x)
    const chord = length(code.map((x, i) => (x + prose[i]!) / 2))
    expect(length(merged)).toBeGreaterThan(chord)
    expect(length(merged)).toBeCloseTo((length(code) + length(prose)) / 2, 1)
  },
  '03-gradient': async (out) => {
    expect(await read(out, query(0))).toEqual(await read(model('tiny-code'), query(0)))
    expect(await read(out, up(0))).toEqual(await read(model('tiny-prose'), up(0)))
    expect(await read(out, query(5))).toEqual(await read(model('tiny-prose'), query(5)))
  },
  '04-add-skills': async (out, { base, code, prose }) =>
    expectNear(await read(out, up(2)), (i) => base[i]! + 0.5 * (code[i]! - base[i]!) + 0.5 * (prose[i]! - base[i]!)),
  '05-take-away': async (out, { base, code, prose }) =>
    expectNear(await read(out, up(2)), (i) => code[i]! - 0.3 * (prose[i]! - base[i]!)),
  '06-ties': async (out, { base, code, prose }) => {
    const merged = await read(out, up(2))
    const unchanged = share(merged, (value, i) => value === base[i])
    expect(unchanged).toBeGreaterThan(0.15)
    expect(unchanged).toBeLessThan(0.5)
    const outside = share(
      merged,
      (value, i) => value > Math.max(base[i]!, code[i]!, prose[i]!) || value < Math.min(base[i]!, code[i]!, prose[i]!),
    )
    expect(outside).toBeLessThan(0.01)
  },
  '07-dare-ties': async (out, { base }) => {
    const unchanged = share(await read(out, up(2)), (value, i) => value === base[i])
    expect(unchanged).toBeGreaterThan(0.2)
    expect(unchanged).toBeLessThan(0.4)
  },
  '08-della': async (out, { base, code }) => {
    const merged = await read(out, up(2))
    const sizes = code.map((x, i) => Math.abs(x - base[i]!))
    const middle = sizes.toSorted((a, b) => a - b)[sizes.length >> 1]!
    const changed = (isLarge: boolean) => {
      const of = merged
        .map((value, i) => [value !== base[i], sizes[i]! > middle] as const)
        .filter(([, large]) => large === isLarge)
      return of.filter(([hasChanged]) => hasChanged).length / of.length
    }
    expect(changed(true)).toBeGreaterThan(changed(false))
  },
  '09-breadcrumbs': async (out, { base, code, prose }) => {
    const merged = await read(out, up(2))
    const largest = code.map((x, i) => [Math.abs(x - base[i]!), i] as const).toSorted(([a], [b]) => b - a)[0]![1]
    expect(Math.abs(merged[largest]! - base[largest]! - 0.5 * (prose[largest]! - base[largest]!))).toBeLessThan(2e-3)
  },
  '10-model-stock': async (out, { base, code, prose }) => {
    const merged = await read(out, up(2))
    const mean = code.map((x, i) => (x + prose[i]!) / 2)
    const distance = (x: readonly number[]) => Math.hypot(...x.map((value, i) => value - base[i]!))
    expect(distance(merged)).toBeGreaterThan(0)
    expect(distance(merged)).toBeLessThan(distance(mean))
  },
  '11-repeat-layers': async (out, { code }) => {
    expect(await read(out, up(4))).toEqual(code)
    const down = 'mlp.down_proj.weight'
    const original = await read(model('tiny-code'), `model.layers.2.${down}`)
    expect(await read(out, `model.layers.4.${down}`)).toEqual(original.map((x) => x / 2))
    expect(await read(out, `model.layers.2.${down}`)).toEqual(original)
  },
  '12-drop-layers': async (out) => expect(await read(out, up(3))).toEqual(await read(model('tiny-code'), up(5))),
  '13-one-vocabulary': async (out) => {
    const tokenizer = readFileSync(join(out, 'tokenizer.json'), 'utf8')
    expect(tokenizer).toContain('<|im_start|>')
    expect(readdirSync(out)).toContain('chat_template.jinja')
    const [merged, prose] = await Promise.all(
      [out, model('tiny-prose')].map((folder) => read(folder, 'model.embed_tokens.weight')),
    )
    expect(merged!.length).toBe(prose!.length)
    const rowOf = (folder: string) =>
      (
        JSON.parse(readFileSync(join(folder, 'tokenizer.json'), 'utf8')) as {
          added_tokens: { id: number; content: string }[]
        }
      ).added_tokens.find(({ content }) => content === '<|im_start|>')!.id
    const row = (values: readonly number[], id: number) => values.slice(id * 128, (id + 1) * 128)
    expect(row(merged!, rowOf(out))).toEqual(row(prose!, rowOf(model('tiny-prose'))))
  },
  '14-parts-of-each': async (out, { code }) => {
    expect(await read(out, up(2))).toEqual(code)
    expect(await read(out, query(2))).toEqual(await read(model('tiny-prose'), query(2)))
  },
  '15-convert': async (out, { prose }) => {
    const merged = await read(out, up(2), 'F16')
    expect(merged.every((value, i) => Math.abs(value - prose[i]!) <= 2 ** -24)).toBe(true)
  },
  '16-method-by-part': async (out, { code, prose }) => {
    expectNear(await read(out, up(2)), (i) => (code[i]! + prose[i]!) / 2)
    const [merged, a, b] = await Promise.all(
      [out, model('tiny-code'), model('tiny-prose')].map((folder) => read(folder, query(2))),
    )
    expect(Math.hypot(...merged!)).toBeCloseTo((Math.hypot(...a!) + Math.hypot(...b!)) / 2, 1)
    expect(Math.hypot(...merged!)).toBeGreaterThan(Math.hypot(...a!.map((x, i) => (x + b![i]!) / 2)))
  },
  '17-merge-of-merges': async (out, { base, code, prose }) => {
    const merged = await read(out, up(2))
    // Where both changed nothing, it is the base but for the sum of slerp's two weights.
    const unchanged = merged.flatMap((value, i) =>
      code[i] === base[i] && prose[i] === base[i] ? [value / base[i]!] : [],
    )
    expect(unchanged.length).toBeGreaterThan(0)
    expect(unchanged.filter((ratio) => Math.abs(ratio - 1) > 0.02)).toEqual([])
    expect(merged).not.toEqual(code)
  },
  '18-onto-another-model': async (out, { base, code, prose }) =>
    expectNear(await read(out, up(2)), (i) => code[i]! + (prose[i]! - base[i]!)),
  '19-deltas-of-other-bases': async (out, { base, code, prose }) => {
    const merged = await read(out, up(2))
    const still = merged.flatMap((_, i) => (code[i] === base[i] && prose[i] === base[i] ? [i] : []))
    expectNear(
      still.map((i) => merged[i]!),
      (index) => base[still[index]!]!,
    )
    expect(merged.filter((value, i) => value !== base[i]).length).toBeGreaterThan(merged.length / 10)
  },
  '20-weights-by-norm': async (out, { base, code, prose }) => {
    const merged = await read(out, up(2))
    // LiNeS: 0.5 + 1 · 2/5 in layer 2 of 6.
    const change = merged.map((value, i) => (value - base[i]!) / 0.9 - (prose[i]! - base[i]!))
    const apart = code.map((value, i) => value - prose[i]!)
    const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0)
    const share = dot(change, apart) / dot(apart, apart)
    expect(share).toBeGreaterThan(0.05)
    expect(share).toBeLessThan(0.95)
    expectNear(merged, (i) => base[i]! + 0.9 * (share * code[i]! + (1 - share) * prose[i]! - base[i]!))
  },
  '21-in-parts': async (out, { base }) => {
    const inParts = `${out}-in-parts`
    const plan = join(outputs, 'plan.json')
    const { plan: whole } = await prepare('21-in-parts')
    await writePlanFile(plan, await createPlanFile(whole, { runtime, threads: 0 }))
    const file = await readPlanFile(plan)
    for (const part of [3, 1, 2]) await runPart(file, { part, of: 3, out: inParts, runtime, threads: 0 })
    await finishMerge(file, { out: inParts, runtime })
    const bytes = (folder: string) => readFileSync(join(folder, 'model.safetensors'))
    expect(bytes(inParts).equals(bytes(out))).toBe(true)
    const unchanged = share(await read(inParts, up(2)), (value, i) => value === base[i])
    expect(unchanged).toBeGreaterThan(0.1)
    expect(unchanged).toBeLessThan(0.5)
  },
  '22-unified': async (out, { base, code, prose }) => {
    const merged = await read(out, up(2))
    // Changes of one size in opposite directions elect nothing.
    const larger = (a: number, b: number) => (a + b === 0 ? 0 : Math.abs(a) >= Math.abs(b) ? a : b)
    expectNear(merged, (i) => base[i]! + larger(code[i]! - base[i]!, prose[i]! - base[i]!))

    const places = { a: out, b: model('tiny-code'), base: model('tiny-base') }
    const mask = join(outputs, 'code.safetensors')
    const { rescaler } = await writeTaskMask(planTaskMask(await prepareDiff(places, {})), mask)
    const document = readFileSync(join(examples, '../docs/cookbook.md'), 'utf8')
    const text = /```yaml\n# code.yml\n(.*?)```/s
      .exec(document)![1]!
      .replace('examples/models/tiny-base', places.base)
      .replace('model: merged', `model: ${out}`)
      .replace('masks/code.safetensors', mask)
    const prepared = await prepareMerge({ text, file: join(outputs, 'code.yml') })
    await runMerge(prepared.plan, { out: join(outputs, 'code'), runtime, threads: 0 })
    const isOwn = (i: number) => (code[i]! - base[i]!) * (merged[i]! - base[i]!) > 0
    expectNear(
      await read(join(outputs, 'code'), up(2)),
      (i) => base[i]! + (isOwn(i) ? rescaler * (merged[i]! - base[i]!) : 0),
    )
  },
}
const layerCounts: Readonly<Record<string, number>> = { '11-repeat-layers': 8, '12-drop-layers': 4 }

describe('the cookbook', () => {
  test('weighs matrices by what its script for regmean writes', async () => {
    const { tensors } = await readSafetensorsHeader(join(model('tiny-code'), 'model.safetensors'))
    const matrices = tensors.filter(({ name, shape }) => name.includes('.layers.2.') && shape.length === 2)
    for (const [seed, name] of ['code', 'prose'].entries()) {
      const writer = await createSafetensorsWriter(
        join(outputs, `statistics-${name}.safetensors`),
        matrices.map(({ name, shape }) => ({ name, dtype: 'F32', shape: [shape[1]!, shape[1]!] })),
      )
      // One model's layers see the first half of their inputs alone, the other's the second.
      for (const { name, shape } of matrices) {
        const size = shape[1]!
        const values = new Float32Array(size * size)
        for (let i = seed === 0 ? 0 : size / 2; i < (seed === 0 ? size / 2 : size); i++) values[i * size + i] = 1
        await writer.write(name, 0, new Uint8Array(values.buffer))
      }
      await writer.finish()
    }
    const document = readFileSync(join(examples, '../docs/cookbook.md'), 'utf8')
    const text = /```yaml\n# regmean.yml\n(.*?)```/s
      .exec(document)![1]!
      .replaceAll('examples/models', join(examples, 'models'))
    const { plan } = await prepareMerge({ text, file: join(outputs, 'regmean.yml') })
    expect(plan.notes.join('\n')).toContain('averaged by weight')
    await runMerge(plan, { out: join(outputs, 'regmean'), runtime, threads: 0 })
    const columns = matrices.find(({ name }) => name === up(2))!.shape[1]!
    expectNear(
      await read(join(outputs, 'regmean'), up(2)),
      (i) => (i % columns < columns / 2 ? inputs.code : inputs.prose)[i]!,
    )
    const [code, prose] = [await read(model('tiny-code'), up(0)), await read(model('tiny-prose'), up(0))]
    expectNear(await read(join(outputs, 'regmean'), up(0)), (i) => (code[i]! + prose[i]!) / 2)
  })

  test('has a fact for each of its recipes', () => {
    expect(readdirSync(join(examples, 'cookbook')).map((file) => file.replace('.yml', ''))).toEqual(Object.keys(facts))
  })

  test.each(Object.keys(facts))('%s does what it says', async (name) => {
    const { out, warnings, config } = await merge(name)
    expect(warnings).toEqual([])
    expect(config['num_hidden_layers']).toBe(layerCounts[name] ?? 6)
    await facts[name]!(out, inputs)
  })
})
