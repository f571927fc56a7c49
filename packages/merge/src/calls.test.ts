import { expect, test } from 'vitest'
import { merge } from './node/merge.ts'
import { prepareMerge } from './node/prepare-merge.ts'
import { runMerge } from './node/run-merge.ts'
import { mergeTensors } from './memory/merge-tensors.ts'

const recipe = { merge_method: 'passthrough', models: [{ model: 'a' }] }
const tensorsOf = (x: unknown) => ({ models: { a: { tensors: { x } } } })
const short = { dtype: 'F32', shape: [3], bytes: new Uint8Array(8) }

/** As plain JavaScript calls. */
const calls = { merge, prepareMerge, runMerge, mergeTensors } as unknown as Record<
  string,
  (...values: unknown[]) => Promise<unknown>
>

test.each([
  ['merge', [], 'merge: recipe is not given, expected an object, the path of a YAML file, or { text }'],
  ['merge', [[recipe], { out: 'x' }], 'merge: recipe is [{"merge_method"'],
  ['merge', [recipe], 'merge: options is not given, expected an object with out'],
  ['merge', [recipe, {}], 'merge: options.out is not given, expected the path of a folder'],
  ['prepareMerge', [], 'prepareMerge: options is not given, expected an object with text or recipe'],
  ['runMerge', [null, { out: 'x' }], 'runMerge: plan is null, expected a plan'],
  ['runMerge', [{ tensors: [] }], 'runMerge: options is not given'],
  ['runMerge', [{ tensors: [] }, { out: 5 }], 'runMerge: options.out is 5'],
  [
    'mergeTensors',
    ['recipe.yml', tensorsOf(short)],
    "mergeTensors: recipe is 'recipe.yml', expected an object, or { text }",
  ],
  ['mergeTensors', [recipe, {}], 'mergeTensors: options is {}, expected an object with models by name'],
  [
    'mergeTensors',
    [recipe, tensorsOf(short)],
    "the number of bytes of tensor 'x' is 8, expected 12 by its dtype and shape",
  ],
  ['mergeTensors', [recipe, tensorsOf([1, 2])], "mergeTensors: tensor 'x' is [1,2], expected { dtype, shape, bytes }"],
  ['mergeTensors', [recipe, tensorsOf({ ...short, dtype: 'BF17' })], 'mergeTensors: tensor \'x\' is {"dtype":"BF17"'],
] as const)('%s refuses a call that its types would not allow: %#', async (call, values, message) => {
  await expect(calls[call]!(...values)).rejects.toMatchObject({
    code: 'wrong-argument',
    fault: 'usage',
    message: expect.stringContaining(message),
  })
})
