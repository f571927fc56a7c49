import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { mergeIn, prepareIn, referenceRuntime } from '../__fixtures__/merge.ts'
import { bytesIn, useFolder, writeLlamas } from '../__fixtures__/models.ts'
import { findParts, finishMerge } from './finish-merge.ts'
import { readPlanFile, writePlanFile } from './plan-file-io.ts'
import { createPlanFile } from './plan-file.ts'
import { runPart } from './run-part.ts'

const folder = useFolder()
const run = { runtime: referenceRuntime, threads: 0 }

async function planFileIn(text: string, prepare: object = {}) {
  const { plan, methods } = await prepareIn(folder.path, text, prepare)
  const file = join(folder.path, 'plan.json')
  await writePlanFile(file, await createPlanFile(plan, { methods, runtime: referenceRuntime }))
  return readPlanFile(file)
}

const linear = 'merge_method: linear\nmodels: [{model: a}, {model: b}]\nparameters: {weight: [0.3, 0.7]}'

describe('a merge in parts', () => {
  test.each([1, 2, 5, 40])('writes the bytes of one run in %i parts', async (of) => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    const prepare = { shardBytes: 200, name: 'x' }
    const whole = await mergeIn(folder.path, linear, { out: join(folder.path, 'whole'), prepare })
    const file = await planFileIn(linear, prepare)
    expect(file.plan.tensors).toEqual(whole.plan.tensors)
    const out = join(folder.path, 'out')
    for (let part = of; part >= 1; part--) await runPart(file, { part, of, out, ...run })
    expect(await findParts(file, { out })).toEqual([{ of, done: Array.from({ length: of }, (_, i) => i + 1), missing: [] }])
    const result = await finishMerge(file, { out, ...run })
    expect(result).toEqual(whole.result)
    expect(await bytesIn(out)).toEqual(await bytesIn(whole.out))
  })
})
