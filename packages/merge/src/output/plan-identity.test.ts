import { appendFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { builtinMethods } from '@mk/methods'
import { expect, test } from 'vitest'
import { planIn, referenceRuntime } from '../__fixtures__/merge.ts'
import { useFolder, writeLlamas } from '../__fixtures__/models.ts'
import type { MergePlan } from '../plan/merge-plan.ts'
import { findChangedInput, type MergeCode, readPlanIdentity } from './plan-identity.ts'

const folder = useFolder()
const code: MergeCode = { methods: builtinMethods, runtime: referenceRuntime }

async function planned(): Promise<MergePlan> {
  await writeLlamas(folder.path, { a: {}, b: {} })
  return planIn(folder.path, 'merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: a}, {model: b}]')
}

const withLinear = (change: object) => ({
  methods: new Map([...builtinMethods, ['linear', { ...builtinMethods.get('linear')!, ...change }]]),
})

const firstFile = ({ files: [file, ...files] }: MergePlan, change: object) => ({
  files: [{ ...file!, ...change }, ...files],
})
const firstTensor = ({ tensors: [tensor, ...tensors] }: MergePlan, change: object) => ({
  tensors: [{ ...tensor!, ...change }, ...tensors],
})

test.each<[string, (plan: MergePlan) => object]>([
  ['method', () => ({ method: 'slerp' })],
  ['seed', () => ({ seed: 1 })],
  ['name of a data file', (plan) => firstFile(plan, { name: 'other.safetensors' })],
  ['size of a data file', (plan) => firstFile(plan, { fileBytes: 1 })],
  ['metadata of a data file', (plan) => firstFile(plan, { metadata: { format: 'np' } })],
  ['place of a tensor', (plan) => firstTensor(plan, { byteStart: 1 })],
  ['dtype of a tensor', (plan) => firstTensor(plan, { dtype: 'BF16' })],
  ['order of tensors', (plan) => ({ tensors: plan.tensors.toReversed() })],
])('another %s writes other elements', async (_, change) => {
  const plan = await planned()
  const [one, other] = [plan, { ...plan, ...(change(plan) as Partial<MergePlan>) }]
  const [before, after] = [await readPlanIdentity(one, code), await readPlanIdentity(other, code)]
  expect(after.elements).not.toBe(before.elements)
  expect(after.output).not.toBe(before.output)
})

test.each<[string, Partial<MergeCode>]>([
  ['version of a method', withLinear({ code: '2' })],
  ['formula of a method', withLinear({ merge: () => ({ op: 'input', slot: 0 }) })],
  ['runtime', { runtime: { ...referenceRuntime, name: 'other' } }],
  ['factory of a runtime', { runtime: { ...referenceRuntime, factory: 'createOther' } }],
  ['option of a runtime', { runtime: { ...referenceRuntime, options: { mode: 'cpu' } } }],
])('another %s writes other elements, by what carries the plan out', async (_, change) => {
  const plan = await planned()
  const [before, after] = [await readPlanIdentity(plan, code), await readPlanIdentity(plan, { ...code, ...change })]
  expect(after.elements).not.toBe(before.elements)
})

test('another merge that an input is writes other elements, and so does other code of its method', async () => {
  await writeLlamas(folder.path, { a: {}, b: {} })
  const chain = (weight: number) =>
    planIn(
      folder.path,
      `name: x\nmerge_method: linear\nparameters: {weight: 1}\nmodels: [{model: a}, {model: b, parameters: {weight: ${weight}}}]\n---\nmerge_method: slerp\nbase_model: x\nparameters: {t: 0.5}\nmodels: [{model: b}]`,
    )
  const plan = await chain(1)
  const { elements, inputs } = await readPlanIdentity(plan, code)
  expect((await readPlanIdentity(await chain(2), code)).elements).not.toBe(elements)
  expect((await readPlanIdentity(plan, { ...code, ...withLinear({ code: '2' }) })).elements).not.toBe(elements)
  expect([...inputs.keys()].map((file) => file.slice(folder.path.length + 1)).toSorted()).toEqual([
    'a/model.safetensors',
    'b/model.safetensors',
  ])
})

test('other small files make another output of the same elements', async () => {
  const plan = await planned()
  const before = await readPlanIdentity(plan, code)
  for (const change of [
    { documents: [{ name: 'config.json', text: '{}' }] },
    { copies: [{ name: 'vocab.json', from: 'a/vocab.json' }] },
  ]) {
    const after = await readPlanIdentity({ ...plan, ...change }, code)
    expect(after.elements).toBe(before.elements)
    expect(after.output).not.toBe(before.output)
  }
})

test('what is only said, and memory that threads share, change nothing', async () => {
  const plan = await planned()
  const before = await readPlanIdentity(plan, code)
  const said = { ...plan, notes: ['something'], warnings: ['something'] }
  const shared = { ...referenceRuntime, options: { flag: new Int32Array(1) } }
  expect(await readPlanIdentity(said, { ...code, runtime: shared })).toEqual(before)
})

test('an input that changes or vanishes is found, and changes the elements', async () => {
  const plan = await planned()
  const before = await readPlanIdentity(plan, code)
  expect(await findChangedInput(before)).toBeUndefined()
  const file = join(folder.path, 'b', 'model.safetensors')
  await appendFile(file, ' ')
  expect(await findChangedInput(before)).toBe(file)
  const longer = await readPlanIdentity(plan, code)
  expect(longer.elements).not.toBe(before.elements)
  await rm(file)
  expect(await findChangedInput(longer)).toBe(file)
  expect((await readPlanIdentity(plan, code)).elements).not.toBe(longer.elements)
})
