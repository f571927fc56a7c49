import { dtypeBytes } from '@mk/safetensors'
import { decode } from '@mk/tensor'
import { formatProgram, type KernelCall, type KernelResult, type Program, type Runtime } from '@mk/tensor/runtime'

/** Where two runtimes differ in what they make of a call, in words; undefined where they agree to the bit. */
export async function findDifference(
  program: Program,
  call: KernelCall,
  expected: Runtime,
  actual: Runtime,
): Promise<string | undefined> {
  const outputsOf = (): Uint8Array[] =>
    call.outputs.map(({ byteLength }) => new Uint8Array(byteLength + 3).fill(0xa5).subarray(0, byteLength))
  const run = async (runtime: Runtime): Promise<{ outputs: Uint8Array[]; results: KernelResult }> => {
    const outputs = outputsOf()
    const results = await (await runtime.compile(program)).run({ ...call, outputs })
    return { outputs, results }
  }
  const want = await run(expected)
  const got = await run(actual)
  const describe = (what: string, index: number, a: unknown, b: unknown): string =>
    `${what} at ${index}: expected ${String(a)}, got ${String(b)}, of ${call.elementCount} elements from ${call.offset} in rows of ${call.columns}\n${formatProgram(program)}`
  let store = 0
  let result = 0
  for (const output of program.outputs) {
    if (output.kind === 'store') {
      const [a, b] = [want.outputs[store]!, got.outputs[store]!].map((bytes) => {
        const values = new Float32Array(bytes.byteLength / dtypeBytes(output.dtype))
        decode(output.dtype, bytes, 0, values)
        return values
      }) as [Float32Array, Float32Array]
      const at = a.findIndex((value, index) => !Object.is(value, b[index]))
      if (at >= 0) return describe(`store ${store} as ${output.dtype}`, at, a[at], b[at])
      store++
    } else {
      const [a, b] = [want.results[result]!, got.results[result]!]
      if (a.length !== b.length || a.constructor !== b.constructor)
        return describe(`${output.kind} ${result}, length`, 0, a.length, b.length)
      const at = a.findIndex((value: number, index: number) => !Object.is(value, b[index]))
      if (at >= 0) return describe(`${output.kind} ${result}`, at, a[at], b[at])
      result++
    }
  }
  return undefined
}
