import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { extract, inFolder, norm, open, readAdapter, root, type Values, valuesOf } from './__fixtures__/extract.ts'
import type { ExtractionSettings } from './plan/extraction.ts'

const siblings = root('goldens/siblings')
const cases = readdirSync(siblings).filter((name) => name.startsWith('lora-'))

/** The settings that arguments of mergekit's command say. */
function parseArguments(args: readonly string[]) {
  const values = new Map<string, string[]>()
  for (let i = 0; i < args.length; i++) {
    const takesNone = ['--no-distribute-scale', '--embed-lora', '--skip-undecomposable'].includes(args[i]!)
    values.set(args[i]!, [...(values.get(args[i]!) ?? []), takesNone ? '' : args[i + 1]!])
    if (!takesNone) i++
  }
  const one = (name: string) => values.get(name)?.[0]
  const settings: ExtractionSettings = {
    maxRank: Number(one('--max-rank') ?? 128),
    distributeScale: !values.has('--no-distribute-scale'),
    embedLora: values.has('--embed-lora'),
    skipUndecomposable: values.has('--skip-undecomposable'),
    include: [...(values.get('-i') ?? []), ...(values.get('--include-regex') ?? [])],
    exclude: [...(values.get('-e') ?? []), ...(values.get('--exclude-regex') ?? [])],
    svEpsilon: Number(one('--sv-epsilon') ?? 0),
  }
  const model = (path: string) => root(path.startsWith('models/') ? `goldens/${path}` : `examples/models/${path}`)
  return { fine: model(one('--model')!), base: model(one('--base-model')!), settings }
}

/** What factors add to a weight as it is stored. */
function product(a: Values, b: Values, transposed: boolean): Float32Array {
  const [rank, input] = a.shape as [number, number]
  const [output] = b.shape as [number]
  const result = new Float32Array(input * output)
  for (let o = 0; o < output; o++)
    for (let i = 0; i < input; i++) {
      let sum = 0
      for (let k = 0; k < rank; k++) sum += b.values[o * rank + k]! * a.values[k * input + i]!
      result[transposed ? i * output + o : o * input + i] = sum
    }
  return result
}

/** By the weight's name, what an adapter adds to it; and the tensors that it has whole. */
async function contents(folder: string) {
  const tensors = await readAdapter(folder)
  const added = new Map<string, Float32Array>()
  const whole = new Map<string, Values>()
  for (const [name, tensor] of tensors) {
    const match = /^base_model\.model\.(.+)\.lora_(embedding_)?A(\.weight)?$/.exec(name)
    if (match)
      added.set(
        `${match[1]}.weight`,
        product(tensor, tensors.get(name.replace(/A(\.weight)?$/, 'B$1'))!, match[2] !== undefined),
      )
    else if (!/lora_(embedding_)?B(\.weight)?$/.test(name))
      whole.set(name.replace('base_model.model.', '').replace('.base_layer', ''), tensor)
  }
  return { added, whole }
}

describe.each(cases)('%s', (name) => {
  it('is as near to the fine-tune as what mergekit extracted, with the same modules', async () => {
    const folder = join(siblings, name)
    const { arguments: args } = JSON.parse(readFileSync(join(folder, 'command.json'), 'utf8')) as {
      arguments: string[]
    }
    const { fine, base, settings } = parseArguments(args)
    await inFolder(async (out) => {
      await extract(fine, base, join(out, 'adapter'), settings)
      const [own, theirs] = [await contents(join(out, 'adapter')), await contents(join(folder, 'expected'))]
      const [fineValues, baseValues] = [valuesOf(await open(fine)), valuesOf(await open(base))]
      // Rank 0 is theirs as empty factors, and a bias as a difference.
      const nonzero = [...theirs.added].filter(([, values]) => norm(values) > 0).map(([weight]) => weight)
      expect([...own.added.keys()].sort()).toEqual(nonzero.sort())
      for (const [weight, values] of own.added) {
        const difference = fineValues.get(weight)!.values.map((value, i) => value - baseValues.get(weight)!.values[i]!)
        const [error, theirError] = [norm(difference, values), norm(difference, theirs.added.get(weight)!)]
        expect(error).toBeLessThanOrEqual(1.01 * theirError + 1e-6 * norm(difference))
      }
      const theirWhole = [...theirs.whole.keys()].filter((tensor) => !tensor.endsWith('lora_B.bias'))
      expect([...own.whole.keys()].filter((tensor) => !tensor.endsWith('.bias')).sort()).toEqual(theirWhole.sort())
      for (const [tensor, { values }] of own.whole)
        expect(values).toEqual(fineValues.get(tensor)?.values ?? fineValues.get('model.embed_tokens.weight')!.values)
    })
  })
})

it('there are goldens', () => {
  expect(cases.length).toBe(9)
  expect(existsSync(join(siblings, cases[0]!, 'command.json'))).toBe(true)
})
