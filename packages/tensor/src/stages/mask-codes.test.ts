import { expect, it } from 'vitest'
import { gt, input, lt, select, sum } from '../index.ts'
import { createReferenceRuntime } from '../reference/reference-runtime.ts'
import { lower } from '../program/lower.ts'
import { createArraySession } from './array-session.ts'
import { createSession } from './create-session.ts'
import { maskCodes, masksOfCodes, MOST_MASKS } from './mask-codes.ts'
import type { Stage } from './stage.ts'

const values = Float32Array.from({ length: 300 }, (_, i) => Math.sin(i * 1.7))
const x = input(0)

it('keeps as many masks as there are bits', async () => {
  const masks = Array.from({ length: MOST_MASKS }, (_, i) => lt(x, (i - 4) / 5))
  const inputs = [{ dtype: 'F32', bytes: new Uint8Array(values.buffer) }] as const
  const codes = await createArraySession({ shape: [300], inputs }).evaluate(maskCodes(masks), 'U8')
  const both = createArraySession({ shape: [300], inputs: [...inputs, { dtype: 'U8', bytes: codes }] })
  for (const [i, mask] of masksOfCodes(input(1), MOST_MASKS).entries())
    expect(await both.evaluate(select(mask, 1, 0), 'U8')).toEqual(await both.evaluate(select(masks[i]!, 1, 0), 'U8'))
})

it('stores what is to be remembered where somebody takes it, and nothing elsewhere', async () => {
  const runtime = createReferenceRuntime()
  const stages: Stage[] = []
  const runStage = async (stage: Stage, onResult: (index: number, result: readonly Float64Array[]) => void) => {
    stages.push(stage)
    const kernel = await runtime.compile(stage.program)
    const stores = stage.program.outputs.filter(({ kind }) => kind === 'store')
    const outputs = stores.map(() => new Uint8Array(300))
    const call = { elementCount: 300, offset: 0, inputs: [new Uint8Array(values.buffer)], outputs }
    onResult(0, (await kernel.run({ ...stage, ...call })) as readonly Float64Array[])
  }
  const mask = gt(x, 0.5)
  const expected = values.filter((value) => value > 0.5).length
  for (const remembers of [true, undefined]) {
    const session = createSession({ shape: [300], inputDtypes: ['F32'], runStage, ...(remembers && { remembers }) })
    const ask = (count: number) =>
      session.reduce({ count: sum(mask, 'tensor') }, { remember: Array.from({ length: count }, () => mask) })
    for (const count of [1, MOST_MASKS + 1]) expect((await ask(count)).count).toBe(expected)
  }
  expect(stages.map(({ remembered }) => remembered?.length)).toEqual([1, undefined, undefined, undefined])
  expect(stages.map(({ program }) => program.outputs.map(({ kind }) => kind).join())).toEqual([
    'store,reduce',
    'reduce',
    'reduce',
    'reduce',
  ])
})

it('computes other masks in the place of some', () => {
  const mask = gt(x, 0.5)
  const value = select(mask, x, 0)
  const { program } = lower({ stores: [{ value, dtype: 'F32' }], replaced: new Map([[mask, gt(input(1), 0)]]) }, [
    'F32',
    'U8',
  ])
  expect(program.instructions).toContainEqual({ op: 'input', slot: 1 })
  expect(program.instructions.filter(({ op }) => op === 'gt')).toHaveLength(1)
})
