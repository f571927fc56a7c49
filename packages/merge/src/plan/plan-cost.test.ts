import { describe, expect, test } from 'vitest'
import { planIn } from '../__fixtures__/merge.ts'
import { useFolder, writeLlamas } from '../__fixtures__/models.ts'
import { defaultCacheBytes, differenceCacheBytes, rememberedShare } from '../run/task.ts'
import type { MergePlan, Operation, PlannedTensorInput } from './merge-plan.ts'
import { planCost } from './plan-cost.ts'

const folder = useFolder()
const settings = { threads: 2, cacheBytes: 2 ** 23 }
const costOf = async (text: string, of = settings) => {
  await writeLlamas(folder.path, { a: {}, b: {}, c: {} })
  const plan = await planIn(folder.path, text)
  return { plan, cost: await planCost(plan, of) }
}
const linear = 'merge_method: linear\nmodels: [{model: a}, {model: b}]\nparameters: {weight: 1}\ndtype: bfloat16'

describe('the cost of a plan', () => {
  test('has what is read and written, tensor by tensor and in all', async () => {
    const { plan, cost } = await costOf(linear)
    expect(cost.tensors.map(({ name }) => name)).toEqual(plan.tensors.map(({ name }) => name))
    const [embedding] = cost.tensors
    expect(plan.tensors[0]!.shape).toEqual([6, 4])
    // float32 in, bfloat16 out
    expect(embedding).toEqual({
      name: plan.tensors[0]!.name,
      readBytes: 2 * 6 * 4 * 4,
      passes: 1,
      writtenBytes: 6 * 4 * 2,
    })
    expect(cost.readBytes).toBe(cost.tensors.reduce((sum, { readBytes }) => sum + readBytes, 0))
    expect(cost.writtenBytes).toBe(cost.readBytes / 4)
    expect(cost.passedBytes).toBe(cost.readBytes)
  })

  test.each([
    ['linear', 1, 'models: [{model: a}, {model: b}]\nparameters: {weight: 1}'],
    ['task_arithmetic', 1, 'models: [{model: a}, {model: b}]\nparameters: {weight: 1}\nbase_model: c'],
    // The angle, then the mean.
    ['slerp', 2, 'models: [{model: a}]\nparameters: {t: 0.5}\nbase_model: c'],
    ['multislerp', 2, 'models: [{model: a}, {model: b}]\nparameters: {weight: 0.5}'],
    // Thresholds that a sample guesses are proved, then elements are computed.
    ['ties', 2, 'models: [{model: a}, {model: b}]\nparameters: {weight: 1, density: 0.5}\nbase_model: c'],
  ])('%s goes through a tensor %i times', async (method, passes, more) => {
    expect((await costOf(`merge_method: ${method}\n${more}`)).cost.passes).toBe(passes)
  })

  test('counts the passes of reductions', async () => {
    const ties = (density: number) =>
      costOf(
        `merge_method: ties\nmodels: [{model: a}, {model: b}]\nbase_model: c\nparameters: {weight: 1, density: ${density}}`,
      )
    const { cost } = await ties(0.5)
    expect(cost.passes).toBeGreaterThan(1)
    expect(cost.passedBytes).toBeGreaterThan(cost.readBytes)
    expect((await ties(1)).cost.passedBytes).toBe(cost.readBytes)
  })

  test('needs more memory for more threads, and not for larger tensors', async () => {
    const { plan, cost } = await costOf(linear)
    const of = (threads: number) => planCost(plan, { ...settings, threads })
    expect((await of(8)).memoryBytes).toBeGreaterThan(cost.memoryBytes)
    const large = { ...plan, tensors: plan.tensors.map((tensor) => ({ ...tensor, shape: [2 ** 20, 4096] })) }
    const larger = { ...plan, tensors: plan.tensors.map((tensor) => ({ ...tensor, shape: [2 ** 22, 4096] })) }
    const [one, other] = [await planCost(large, settings), await planCost(larger, settings)]
    expect(one.memoryBytes).toBe(other.memoryBytes)
    expect(one.memoryBytes).toBeLessThan(160e6)
  })

  test('leaves the passes of a method of one’s own open', async () => {
    const { plan } = await costOf(linear)
    const cost = await planCost({ ...plan, method: './own.mjs' }, settings)
    expect(cost.tensors[0]!.passes).toBeUndefined()
    expect(JSON.parse(JSON.stringify(cost))).toMatchObject({ passes: 1, readBytes: cost.readBytes })
  })

  test('has memory and seconds of one core for whole matrices', async () => {
    const { plan } = await costOf('merge_method: tsv_m\nbase_model: c\nmodels: [{model: a}, {model: b}]')
    const of = async (shape: readonly number[], name = 'model.layers.0.w.weight') => {
      const { tensors, memoryBytes, matrixSeconds } = await planCost(
        { ...plan, tensors: [{ ...plan.tensors[0]!, name, shape }] },
        settings,
      )
      return { ...tensors[0]!.matrices, memoryBytes, matrixSeconds }
    }
    const [square, double, long, experts, norm] = [
      await of([1024, 1024]),
      await of([2048, 2048]),
      await of([128_256, 1024]),
      await of([8, 1024, 1024], 'model.layers.0.experts.down_proj'),
      await of([1024]),
    ]
    expect(double.seconds! / square.seconds!).toBeCloseTo(8, 5)
    expect(double.bytes! / square.bytes!).toBeCloseTo(4, 5)
    expect(double.memoryBytes).toBeGreaterThan(square.memoryBytes + 3 * 2048 ** 2 * 8)
    // Two workers, and one tensor more.
    expect(double.memoryBytes - square.memoryBytes).toBeCloseTo(3 * (double.bytes! - square.bytes!), -1)
    expect(long.bytes).toBe(square.bytes)
    expect(long.seconds).toBeGreaterThan(square.seconds!)
    expect(experts.matrixSeconds).toBeCloseTo(8 * square.seconds!, 5)
    expect(experts.bytes).toBe(square.bytes)
    expect(norm).toEqual({ memoryBytes: expect.any(Number), matrixSeconds: undefined })
    expect(square.seconds).toBeGreaterThan(1)
    expect(square.seconds).toBeLessThan(10)
  })
})

describe('of what no recipe here makes', () => {
  const given = (input: number, shape: readonly number[] = [8, 4]) =>
    ({ input, name: 'w', source: { kind: 'file', dtype: 'F32', shape, file: 'f', byteStart: 0 } }) as const
  const merged = (tensor: string, shape: readonly number[] = [8, 4]) =>
    ({
      input: 0,
      name: tensor,
      source: { kind: 'merged', dtype: 'F32', shape, stage: 'inner', tensor, storedAs: 'F32' },
    }) as const
  const planOf = (tensors: readonly object[], stages: readonly object[] = []) =>
    ({ method: 'linear', inputs: [], files: [], stages, tensors }) as unknown as MergePlan
  const tensor = (operation: Operation, shape: readonly number[] = [8, 4], dtype = 'F32') => ({
    name: 'w',
    dtype,
    shape,
    operation,
  })
  const copy = (input: PlannedTensorInput): Operation => ({ kind: 'copy', input })
  const linearOf = (...models: readonly PlannedTensorInput[]): Operation => ({
    kind: 'merge',
    models,
    parameters: { weight: models.map(() => 1), normalize: true },
  })

  test('what a stage reads counts, once for each tensor of the output', async () => {
    const inner = { name: 'inner', tensors: [{ ...tensor(linearOf(given(0), given(1))), name: 'x' }] }
    const twice = tensor(linearOf(merged('x'), merged('x'), given(2)))
    const { tensors } = await planCost(planOf([twice, tensor(copy(given(0)))], [inner]), settings)
    const bytes = 8 * 4 * 4
    // Reading a merge's tensor costs nothing, what that is made of does.
    expect(tensors.map(({ readBytes }) => readBytes)).toEqual([3 * bytes, bytes])
    const between = ['y', 'z'].map((name) => ({ ...tensor(linearOf(merged('x'), given(3))), name }))
    const through = tensor(linearOf(merged('y'), merged('z')))
    const stage = { ...inner, tensors: [...inner.tensors, ...between] }
    expect((await planCost(planOf([through], [stage]), settings)).readBytes).toBe(4 * bytes)
  })

  test('memory is that of the process, threads, buffers and cache', async () => {
    const of = async (threads: number, tensors: readonly object[], cacheBytes = 1000) =>
      (await planCost(planOf(tensors), { threads, cacheBytes })).memoryBytes
    const one = tensor(copy(given(0)), [8, 4], 'BF16')
    const two = tensor(linearOf(given(0), given(1)))
    // Twice the elements of a chunk, as they come and as they are stored.
    expect(await of(0, [one])).toBe(85e6 + 2 * 32 * (4 + 2) + 1000)
    expect(await of(3, [one])).toBe(85e6 + 3 * 20e6 + 3 * 2 * 32 * (4 + 2) + 1000)
    expect(await of(1, [one, two, one])).toBe(85e6 + 20e6 + 2 * 32 * (4 + 4 + 4) + 1000)
    const wide = [4, 2 ** 24]
    expect(await of(1, [tensor(copy(given(0, wide)), wide)])).toBe(85e6 + 20e6 + 2 * 2 ** 24 * 8 + 1000)
    const long = [2 ** 24]
    expect(await of(1, [tensor(copy(given(0, long)), long)])).toBe(85e6 + 20e6 + 2 * 2 ** 24 * 8 + 1000)
    expect(await of(1, [tensor(copy(given(0, [])), [])])).toBe(85e6 + 20e6 + 2 * 8 + 1000)
    const stacked = [2, 3, 2 ** 24]
    expect(await of(1, [tensor(copy(given(0, stacked)), stacked)])).toBe(85e6 + 20e6 + 2 * 2 ** 24 * 8 + 1000)
  })

  test('factors need their sketches, and what is kept of a difference', async () => {
    const factors = (kind: 'difference' | 'products', ...inputs: readonly PlannedTensorInput[]) =>
      tensor(
        {
          kind: 'factors',
          other: 'b',
          inputs,
          change: kind === 'difference' ? { kind, transposed: false } : { kind, products: [] },
        },
        [4, 16],
      )
    const memory = async (one: object) =>
      (await planCost(planOf([one]), { threads: 1, cacheBytes: 0 })).memoryBytes - 105e6 - differenceCacheBytes
    const buffers = 2 * 64 * (4 + 4 + 4)
    const sketch = 4 * 8 * Math.ceil(1.25 * 4 + 10) * (8 + 16)
    expect(await memory(factors('difference', given(0, [8, 16]), given(1, [8, 16])))).toBe(buffers + sketch)
    const own = 4 * 8 * (4 * 16 + 8 * 4)
    expect(await memory(factors('products', given(0, [4, 16]), given(1, [8, 4])))).toBe(buffers + own)
  })

  test('tensors that are merged alike are counted alike, others are not', async () => {
    const slerp = (t: number, base: PlannedTensorInput | undefined): Operation => ({
      kind: 'merge',
      method: 'slerp',
      models: [given(1)],
      parameters: { t },
      ...(base && { base }),
    })
    const { tensors } = await planCost(
      planOf([
        tensor(slerp(0.5, given(0))),
        tensor(linearOf(given(0), given(1))),
        tensor(slerp(0.5, given(0)), [1]),
        tensor(slerp(0.5, given(0)), [2]),
        tensor(slerp(0.5, given(0)), [0]),
        tensor(slerp(0.5, given(0)), [8, 4, 2]),
        tensor(copy(given(0))),
      ]),
      settings,
    )
    expect(tensors.map(({ passes }) => passes)).toEqual([2, 1, 1, 2, 0, 2, 1])
  })

  const taskVectors = (
    method: string,
    parameters: Readonly<Record<string, number | readonly number[]>>,
  ): Operation => ({
    kind: 'factors',
    other: 'b',
    inputs: [given(0, [64, 32]), given(1, [64, 32]), given(2, [64, 32])],
    change: {
      kind: 'task-vectors',
      transposed: false,
      hasBase: true,
      modelCount: 2,
      isMoved: false,
      method,
      parameters,
    },
  })

  test('factors of task vectors cost what their method makes of whole matrices, which have the shape of the module', async () => {
    const one = await planCost(planOf([tensor(taskVectors('tsv_m', { weight: [1, 1] }), [4, 32])]), settings)
    const merge: Operation = {
      kind: 'merge',
      method: 'tsv_m',
      base: given(0, [64, 32]),
      models: [given(1, [64, 32]), given(2, [64, 32])],
      parameters: { weight: [1, 1] },
    }
    const whole = await planCost(planOf([tensor(merge, [64, 32])]), settings)
    expect(one.tensors[0]!.matrices!.seconds).toBeCloseTo(whole.tensors[0]!.matrices!.seconds, 12)
    expect(one.tensors[0]!.matrices!.bytes).toBe(whole.tensors[0]!.matrices!.bytes)
    // Decomposed while it streams, instead of being written once.
    expect(one.passes).toBe(whole.passes - 1 + 8)
    const own = await planCost(planOf([tensor(taskVectors('./own.mjs', {}), [4, 32])]), settings)
    expect(own.tensors[0]!.passes).toBeUndefined()
  })

  test('factors of task vectors are counted apart by what their parameters are', async () => {
    const { tensors } = await planCost(
      planOf([
        tensor(taskVectors('tsv_m', { weight: [1, 1] }), [4, 32]),
        tensor(linearOf(given(0, [64, 32]), given(1, [64, 32]), given(2, [64, 32])), [64, 32]),
        tensor(taskVectors('iso_c', { weight: [1, 1], lambda: 1 }), [4, 32]),
      ]),
      settings,
    )
    expect(new Set(tensors.map(({ matrices }) => matrices?.seconds)).size).toBe(3)
  })

  test('what random numbers decide is remembered in a cache of its own', async () => {
    const dare = (method: string): Operation => ({
      kind: 'merge',
      method,
      base: given(0),
      models: [given(1)],
      parameters: { weight: [1], density: [0.5] },
    })
    const memory = async (method: string) => (await planCost(planOf([tensor(dare(method))]), settings)).memoryBytes
    expect((await memory('dare_linear')) - (await memory('task_arithmetic'))).toBe(
      rememberedShare * settings.cacheBytes,
    )
  })

  test('weights that follow from norms take a pass more', async () => {
    const other = { ...given(1), source: { ...given(1).source, file: 'g' } }
    const weighed = (weight: readonly (number | string)[], model = other): Operation => ({
      kind: 'merge',
      method: 'task_arithmetic',
      base: given(0),
      models: [model],
      parameters: { weight, lambda: 1 } as Extract<Operation, { kind: 'merge' }>['parameters'],
    })
    const { tensors } = await planCost(
      planOf([
        tensor(weighed([1])),
        tensor(weighed(['metagpt'])),
        tensor(weighed(['metagpt'])),
        // What is the base itself has no norm to count.
        tensor(weighed(['metagpt'], given(1))),
      ]),
      settings,
    )
    expect(tensors.map(({ passes }) => passes)).toEqual([1, 2, 2, 1])
  })

  test('without a size of the cache the default one counts', async () => {
    const of = async (cacheBytes?: number) =>
      (
        await planCost(planOf([tensor(copy(given(0)))]), {
          threads: 0,
          ...(cacheBytes !== undefined && { cacheBytes }),
        })
      ).memoryBytes
    expect((await of()) - (await of(0))).toBe(defaultCacheBytes)
  })
})
