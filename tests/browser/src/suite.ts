// Runs in the page: the conformance suite with WebAssembly, and the small programs of the packages.
import { createWasmRuntime } from '@mk/runtime-wasm'
import { runConformance, type TestFramework } from '@mk/tensor/conformance'

interface Outcome {
  readonly passed: number
  readonly failures: readonly string[]
}

/** Runs every case of the suite, one after the other. */
export async function conformance(): Promise<Outcome> {
  const cases: (readonly [name: string, run: () => Promise<void>])[] = []
  const it = Object.assign((name: string, run: () => Promise<void>) => void cases.push([name, run]), { skip() {} })
  const framework: TestFramework = {
    describe: (_, body) => body(),
    it,
    expect: (actual) => ({
      toBe(expected) {
        if (!Object.is(actual, expected)) throw new Error(`${String(actual)} instead of ${String(expected)}`)
      },
    }),
  }
  runConformance(() => createWasmRuntime(), framework)
  const failures: string[] = []
  for (const [name, run] of cases) {
    try {
      await run()
    } catch (error) {
      failures.push(`${name}: ${String(error)}`)
    }
  }
  return { passed: cases.length - failures.length, failures }
}

/** Runs a program and gathers what it prints. */
export async function printedBy(run: () => Promise<unknown>, plain: (value: unknown) => unknown): Promise<string> {
  const printed: unknown[] = []
  const { log } = console
  console.log = (...values) => void printed.push(...values)
  try {
    await run()
  } finally {
    console.log = log
  }
  return JSON.stringify(plain(printed))
}
