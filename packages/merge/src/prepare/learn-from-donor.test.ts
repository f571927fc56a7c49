import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { nodeFiles } from '@mk/source/node'
import { describe, expect, test } from 'vitest'
import { readCase } from '../../../gguf/src/convert/__fixtures__/cases.ts'
import { ggufFile } from '../../../gguf/src/convert/__fixtures__/plain-file.ts'
import { tinyWeights } from '../../../gguf/src/convert/__fixtures__/tiny-weights.ts'
import { writeCase } from '../__fixtures__/gguf-cases.ts'
import { expectIssue, planIn, prepareIn } from '../__fixtures__/merge.ts'
import { useFolder, writeModel } from '../__fixtures__/models.ts'
import { convertToGguf } from './convert-to-gguf.ts'
import { openLike } from './output-formats.ts'

const folder = useFolder()
const at = (name: string) => join(folder.path, name)
const alone = 'merge_method: passthrough\nmodels: [{model: a}]\n'
const asGguf = 'out_format: gguf\nout_dtype: q8_0\n'
const like = { ggufLike: 'donor.gguf', name: 'like' }
const unheard = { model_type: 'unheard' }
const putDonor = (type: 'F16' | 'Q8_0') => writeFile(at('donor.gguf'), ggufFile('llama3', type))

/** The plan of a folder turned into that of a GGUF, with something else said of the model's checkpoint. */
async function converted(more: object, options: object = {}) {
  const { plan, config, inputs, methods } = await prepareIn(folder.path, alone)
  const asked = { ...config, outFormat: 'gguf' } as const
  const donor = await openLike({ store: nodeFiles, current: folder.path } as never, 'donor.gguf', asked, [folder.path])
  const checkpoints = inputs.checkpoints.map((checkpoint) => ({ ...checkpoint, ...more }))
  const facts = {
    config: asked,
    inputs: { ...inputs, checkpoints },
    methods,
    like: donor,
    copyTokenizer: true,
    name: 'x',
  }
  return convertToGguf(plan, { ...facts, ...options })
}

describe('a family without a map', () => {
  test('is not learned from a merge that is computed as it is read', async () => {
    await writeCase(at('a'), 'llama3', { config: unheard })
    await putDonor('F16')
    const chain = `name: inner\nmerge_method: linear\nparameters: {weight: 1}\nmodels: [{model: a}]\n---\n${alone.replace('model: a', 'model: inner')}${asGguf}`
    await expectIssue(planIn(folder.path, chain, like), 'gguf-like-merge')
  })

  test('is not learned before its weights are here', async () => {
    await writeCase(at('a'), 'llama3', { config: unheard })
    await putDonor('F16')
    await expectIssue(converted({ downloadBytes: 1 }), 'gguf-like-pending')
    expect((await converted({ downloadBytes: 0 })).tensors.length).toBeGreaterThan(0)
    expect((await converted({ downloadBytes: undefined })).tensors.length).toBeGreaterThan(0)
  })

  test('has in layers that the donor lacks what matrices are stored as, and the others as the donor has them', async () => {
    const { weights, norm } = readCase('llama3')
    const more = weights!
      .filter(({ name }) => name.includes('.layers.1.'))
      .map(({ name, shape }) => ({ name: name.replace('.1.', '.2.'), shape }))
    await writeCase(at('a'), 'llama3', { config: { ...unheard, num_hidden_layers: 3 } })
    const tensors = [...weights!, ...more].map(({ name, shape }) => {
      const values = tinyWeights(name, shape, norm!)
      return [name, { shape, value: (index: number) => values[index]! }] as const
    })
    const { inputs } = await prepareIn(folder.path, alone)
    await writeModel(at('a'), { config: inputs.checkpoints[0]!.config!, tensors: Object.fromEntries(tensors) })
    await putDonor('Q8_0')
    const plan = await planIn(folder.path, `${alone}${asGguf}`, like)
    const typeOf = (name: string) => {
      const { rows, dtype } = plan.tensors.find((tensor) => tensor.name === `model.layers.${name}.weight`)!
      return rows?.type ?? dtype
    }
    expect([0, 1, 2].map((layer) => typeOf(`${layer}.mlp.up_proj`))).toEqual(['Q8_0', 'Q8_0', 'Q8_0'])
    expect([0, 1, 2].map((layer) => typeOf(`${layer}.input_layernorm`))).toEqual(['F32', 'F32', 'F32'])
  })
})

describe('tensors without a config.json', () => {
  const writeTensors = async (rename = (name: string) => name) => {
    await putDonor('F16')
    const donor = await openLike(
      { store: nodeFiles, current: folder.path } as never,
      'donor.gguf',
      { outFormat: 'gguf' } as never,
      [folder.path],
    )
    const tensors = [...donor.tensors].map(([name, { shape }]) => [rename(name), { shape }] as const)
    await writeModel(at('raw'), { tensors: Object.fromEntries(tensors) })
    return [...donor.tensors.keys()]
  }
  const ofRaw = `merge_method: passthrough\nmodels: [{model: raw/model.safetensors}]\n${asGguf}`

  test('that have the names of a GGUF are written as a GGUF like it', async () => {
    const names = await writeTensors()
    const { tensors } = await planIn(folder.path, ofRaw, like)
    expect(new Set(tensors.map(({ name }) => name))).toEqual(new Set(names))
  })

  test('of which one has another name say nothing of what they are', async () => {
    await writeTensors((name) => (name === 'output_norm.weight' ? 'norm' : name))
    await expectIssue(planIn(folder.path, ofRaw, like), 'gguf-without-config')
    await writeTensors()
    await expectIssue(planIn(folder.path, ofRaw), 'gguf-without-config')
  })
})

test('a GGUF of a model with a map needs a tokenizer, its own or that of one that it is like', async () => {
  await writeCase(at('a'), 'llama3')
  await putDonor('F16')
  await expectIssue(converted({}, { like: undefined, copyTokenizer: false }), 'gguf-without-tokenizer')
  for (const options of [{ like: undefined }, { copyTokenizer: false }, {}])
    expect((await converted({}, options)).files).toMatchObject([{ name: 'model.gguf' }])
})
