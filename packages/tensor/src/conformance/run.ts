import { dtypeBytes } from '@mk/safetensors'
import { createReferenceRuntime } from '../reference/reference-runtime.ts'
import type { Kernel, KernelCall, Runtime } from '../runtime/runtime.ts'
import type { CaseCall, ConformanceCase } from './case.ts'
import { conformanceCases } from './cases.ts'
import { type Allowance, compareResults, compareStored, equalBytes, type Tolerance } from './compare.ts'
import { createPlace } from './place.ts'
import { type ProductCase, productCases } from './product-cases.ts'
import { differenceInProduct } from './run-product.ts'

/** The parts of a test framework that are needed: those of vitest and of Jest fit. */
export interface TestFramework {
  describe(name: string, body: () => void): void
  readonly it: { (name: string, body: () => Promise<void>): void; skip(name: string, body: () => Promise<void>): void }
  expect(actual: unknown): { toBe(expected: unknown): void }
}

/** How far results may be off those of the reference. */
export interface ConformanceOptions {
  /** For hardware that rounds differently; absent: every bit must be the reference's, but for those of NaN. */
  readonly tolerance?: Tolerance
  /** Whether a 0 may have the other sign. */
  readonly anyZeroSign?: boolean
  /**
   * How far an element of a matrix product may be off, as a share of the sum of its terms' magnitudes; where they overflow in
   * float32, it may be what they add up to in float64. Absent: not at all.
   */
  readonly productTolerance?: number
  readonly skip?: readonly Skip[]
}

/** Cases that are left out, and why. */
export interface Skip {
  /**
   * The name of a case or of a group, or what tells such cases. A random program has the name of its content: it means that
   * program, or none. A function is not asked about matrix products.
   */
  readonly cases: string | ((testCase: ConformanceCase) => boolean)
  readonly reason: string
}

/** Declares a test for each case: the runtime must give what the reference runtime gives, and touch nothing else. */
export function runConformance(
  createRuntime: () => Runtime | Promise<Runtime>,
  { describe, it, expect }: TestFramework,
  { tolerance, anyZeroSign = false, productTolerance, skip = [] }: ConformanceOptions = {},
): void {
  const cases: (ConformanceCase | ProductCase)[] = [...conformanceCases(), ...productCases()]
  const matches = ({ cases: which }: Skip, testCase: ConformanceCase | ProductCase): boolean =>
    typeof which === 'string'
      ? which === testCase.name || which === testCase.group
      : 'program' in testCase && which(testCase)
  for (const entry of skip) {
    if (cases.some((testCase) => matches(entry, testCase))) continue
    const what =
      typeof entry.cases === 'string' ? `case or group '${entry.cases}'` : `case that is meant (${entry.reason})`
    throw new Error(`skip: there is no conformance ${what}`)
  }
  describe('conformance', () => {
    let created: Promise<Runtime> | undefined
    let shared: Uint8Array | undefined
    const reference = createReferenceRuntime()
    for (const testCase of cases) {
      const reason = skip.find((entry) => matches(entry, testCase))?.reason
      if (reason !== undefined) {
        it.skip(`${testCase.name} (${reason})`, async () => {})
        continue
      }
      it(testCase.name, async () => {
        created ??= Promise.resolve(createRuntime())
        const runtime = await created
        shared ??= runtime.allocate(SHARED_BYTES)
        const own = shared
        const difference =
          'program' in testCase
            ? await differenceIn(testCase, reference, runtime, own, { tolerance, anyZeroSign })
            : await differenceInProduct(
                testCase,
                reference,
                runtime,
                [() => createPlace(undefined, 1), () => createPlace(own, 0)],
                productTolerance,
              )
        expect(difference).toBe(undefined)
      })
    }
    it('closes', async () => {
      await (await created)?.close()
    })
  })
}

const SHARED_BYTES = 2 ** 22

async function differenceIn(
  { program, calls }: ConformanceCase,
  reference: Runtime,
  runtime: Runtime,
  shared: Uint8Array,
  allowance: Allowance,
): Promise<string | undefined> {
  const [exact, kernel] = [await reference.compile(program), await runtime.compile(program)]
  const stores = program.outputs.filter((output) => output.kind === 'store')
  for (const [index, call] of calls().entries()) {
    const sizes = stores.map(({ dtype }) => call.elementCount * dtypeBytes(dtype))
    const expected = await runInto(
      exact,
      call,
      sizes.map((size) => new Uint8Array(size)),
    )
    // Foreign buffers at odd addresses, then the runtime's own.
    for (const from of [undefined, shared]) {
      const place = createPlace(from, index)
      const inputs = call.inputs.map((bytes) => place(bytes.byteLength, bytes))
      const outputs = sizes.map((size) => place(size))
      if ([...inputs, ...outputs].includes(undefined)) continue
      const where = `call ${index}${from ? ', in buffers of the runtime' : ''}`
      const got = await runInto(
        kernel,
        { ...call, inputs: inputs.map((slot) => slot!.bytes) },
        outputs.map((slot) => slot!.bytes),
      )
      for (const [i, store] of stores.entries()) {
        const problem = compareStored(store.dtype, got.stored[i]!, expected.stored[i]!, call.elementCount, allowance)
        if (problem) return `${where}, output ${i}, ${problem}`
      }
      if (got.results.length !== expected.results.length)
        return `${where}: got ${got.results.length} results, expected ${expected.results.length}`
      for (const [i, result] of expected.results.entries()) {
        const problem = compareResults(got.results[i], result, allowance)
        if (problem) return `${where}, result ${i}, ${problem}`
      }
      if (inputs.some((slot, i) => !equalBytes(slot!.bytes, call.inputs[i]!))) return `${where}: an input was changed`
      if ([...inputs, ...outputs].some((slot) => !slot!.isClean()))
        return `${where}: bytes beside a buffer were changed`
    }
  }
  return undefined
}

async function runInto(kernel: Kernel, call: CaseCall, stored: Uint8Array[]) {
  const complete: KernelCall = { ...call, outputs: stored }
  return { stored, results: await kernel.run(complete) }
}
