import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { expectIssue, prepareIn, wasmRuntime } from '../__fixtures__/merge.ts'
import { tinyLlama, useFolder, writeModel } from '../__fixtures__/models.ts'
import { keepStages } from './keep-stages.ts'

const folder = useFolder()
const text = `name: inner
merge_method: linear
dtype: float16
models: [{ model: a, parameters: { weight: 1 } }]
---
merge_method: passthrough
models: [{ model: inner }]
`

describe('a merge that is kept', () => {
  test('tells of what is not finite in it, also where it is there already, and is refused where that is an error', async () => {
    const extra = { 'model.norm.weight': { shape: [4], value: (i: number) => (i === 1 ? 1e5 : 1) } }
    await writeModel(join(folder.path, 'a'), tinyLlama({ extra }))
    const prepared = await prepareIn(folder.path, text)
    const options = { folder: join(folder.path, 'kept'), runtime: wasmRuntime, threads: 0 }
    const found = [{ tensor: 'model.norm.weight', dtype: 'F16', inputs: [], results: 1, overflow: 1 }]
    expect(await keepStages(prepared, options)).toMatchObject([{ isReused: false, nonFinite: found }])
    expect(await keepStages(prepared, options)).toMatchObject([{ isReused: true, nonFinite: found }])
    await expectIssue(keepStages(prepared, { ...options, strict: true }), 'values-not-finite')
  })

  test('stays with strict where all of it is finite', async () => {
    await writeModel(join(folder.path, 'a'), tinyLlama())
    const prepared = await prepareIn(folder.path, text)
    const options = { folder: join(folder.path, 'kept'), runtime: wasmRuntime, threads: 0, strict: true }
    expect(await keepStages(prepared, options)).toMatchObject([{ isReused: false, nonFinite: [] }])
    expect(await keepStages(prepared, options)).toMatchObject([{ isReused: true, nonFinite: [] }])
  })
})
