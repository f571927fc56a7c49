import { join } from 'node:path'
import { type FamilyFixture, familyFixtures } from '@mk/architecture/fixtures'
import { describe, expect, test } from 'vitest'
import { planIn, mergeIn } from '../__fixtures__/merge.ts'
import { type TinyModel, useFolder, writeModel } from '../__fixtures__/models.ts'
import { operationInputs } from '../plan/merge-plan.ts'

const folder = useFolder()
const tiny = ({ config, tensors }: FamilyFixture, seed: number): TinyModel => ({
  config,
  seed,
  tensors: Object.fromEntries(tensors.map(({ name, shape }) => [name, { shape }])),
})

/** 'h.{0–1, 3}.w' → the names that it stands for. */
function expand(text: string): string[] {
  const braces = /\{([\d–, ]+)\}/.exec(text)
  if (braces === null) return [text]
  const numbers = braces[1]!.split(', ').flatMap((run) => {
    const [first, last = first] = run.split('–').map(Number)
    return Array.from({ length: last! - first! + 1 }, (_, index) => first! + index)
  })
  return numbers.flatMap((number) => expand(text.replace(braces[0], String(number))))
}

describe.each(familyFixtures)('two models of $family', (fixture) => {
  test('merge with nothing lost: every tensor is averaged, or named in a note', async () => {
    await writeModel(join(folder.path, 'a'), tiny(fixture, 1))
    await writeModel(join(folder.path, 'b'), tiny(fixture, 2))
    const { tensors, plan } = await mergeIn(
      folder.path,
      'merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: a}, {model: b}]',
    )
    const merged = new Set(
      plan.tensors.filter(({ operation }) => operationInputs(operation).length === 2).map(({ name }) => name),
    )
    const named = new Set(
      plan.notes
        .flatMap((note) => note.replace(/^[ab]: /, '').split(/, (?![^{]*\})|: | is the same as | not used/))
        .flatMap(expand),
    )
    const lost = fixture.tensors.map(({ name }) => name).filter((name) => !merged.has(name) && !named.has(name))
    expect(lost).toEqual([])
    expect(Object.keys(tensors).toSorted()).toEqual(plan.tensors.map(({ name }) => name).toSorted())
    for (const { name, shape } of fixture.tensors.filter((tensor) => merged.has(tensor.name)))
      expect([name, tensors[name]!.shape]).toEqual([name, shape])
    expect(
      plan.notes.filter(
        (note) => !/no weights, so not merged|is the same as its embedding|the head of . is another matrix/.test(note),
      ),
    ).toEqual([])
  })

  const stacks = fixture.expected.modules.filter(({ layerCount }) => layerCount > 0)
  // Swin counts its layers by stages; no key of its config holds their sum.
  test.runIf(stacks.length === 1 && fixture.expected.modules.length === 1 && fixture.family !== 'swin')(
    'stack their layers',
    async () => {
      await writeModel(join(folder.path, 'a'), tiny(fixture, 1))
      await writeModel(join(folder.path, 'b'), tiny(fixture, 2))
      const plan = await planIn(
        folder.path,
        'merge_method: passthrough\nslices: [{sources: [{model: a}]}, {sources: [{model: b}]}]',
        // Some no loader could read.
        { allowMixedArchitectures: true },
      )
      const used = new Set(
        plan.tensors.flatMap(({ operation }) =>
          operationInputs(operation).map(({ input, name }) => `${input} ${name}`),
        ),
      )
      const untold = plan.inputs
        .flatMap((_, input) => fixture.tensors.map(({ name }) => `${input} ${name}`))
        .filter((name) => !used.has(name))
      expect(new Set(plan.tensors.map(({ name }) => name)).size).toBe(plan.tensors.length)
      expect(plan.tensors.length + untold.length).toBe(fixture.tensors.length * 2)
    },
  )
})

test('a family that nobody has heard of merges, too', async () => {
  const config = { model_type: 'zyx', architectures: ['ZyxForever'], zyx_depth: 3 }
  const tensors = Object.fromEntries(
    [
      'tok.weight',
      ...[0, 1, 2].flatMap((n) => ['alpha', 'beta.gamma', 'delta'].map((part) => `trunk.${n}.${part}`)),
      'out.weight',
    ].map((name) => [name, { shape: [3, 3] }]),
  )
  for (const [seed, name] of ['a', 'b'].entries()) await writeModel(join(folder.path, name), { config, seed, tensors })
  const { tensors: merged, plan } = await mergeIn(
    folder.path,
    'merge_method: slerp\nbase_model: a\nparameters: {t: [0, 1]}\nmodels: [{model: a}, {model: b}]',
  )
  expect(Object.keys(merged).toSorted()).toEqual(Object.keys(tensors).toSorted())
  expect(plan.tensors.find(({ name }) => name === 'trunk.1.alpha')?.operation).toMatchObject({ parameters: { t: 0.5 } })
})

test('layers cannot be stacked where no key of config.json holds their number', async () => {
  const swin = familyFixtures.find(({ family }) => family === 'swin')!
  await writeModel(join(folder.path, 'a'), tiny(swin, 1))
  const planning = planIn(
    folder.path,
    'merge_method: passthrough\nslices: [{sources: [{model: a}]}, {sources: [{model: a}]}]',
  )
  await expect(planning).rejects.toMatchObject({ name: 'ArchitectureError', code: 'no-layer-count-key' })
})
