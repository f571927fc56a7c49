import { expect, it } from 'vitest'
import wabt from 'wabt'
import { call, get, loopWhile, repeat, set, when } from './code.ts'
import { defineFunction, encodeModule, type FunctionCode } from './module.ts'
import { f32, f64, i32, i64, memory } from './scalar.ts'
import { f32x4, f64x2, i32x4, v128 } from './simd.ts'

const { readWasm } = await wabt()

function textOf(functions: readonly FunctionCode[]): string {
  const module = readWasm(encodeModule(2, functions), { readDebugNames: false })
  module.validate()
  return module.toText({ foldExprs: true, inlineExport: false })
}

it('declares locals in the order in which they were asked for', () => {
  const text = textOf([
    defineFunction(['i32'], (scope, [address]) => {
      const [a, b, c] = [scope.local('i32'), scope.local('i32'), scope.local('v128')]
      return [set(a, get(address)), set(b, get(a)), set(c, i32x4.splat(get(b))), v128.store(get(address), get(c))]
    }),
  ])
  expect(text).toContain('(param i32)')
  expect(text).toContain('(local i32 i32 v128)')
  expect(text).toMatch(/local\.set 3\s+\(i32x4\.splat\s+\(local\.get 2\)\)/)
})

it('encodes control flow, calls and memory operations that wabt accepts and prints', () => {
  const inner = defineFunction(['i32', 'i32'], (_, [to, count]) => [memory.fill(get(to), i32.const(7), get(count))])
  const outer = defineFunction(['i32'], (scope, [count]) => {
    const index = scope.local('i32')
    const next = set(index, i32.add(get(index), i32.const(1)))
    return [
      loopWhile(i32.lt_u(get(index), get(count)), [next]),
      repeat([next], i32.lt_u(get(index), i32.const(100))),
      when(get(index), [call(0, [i32.const(1024), get(index)])], [i64.store(i32.const(8), i64.const(-5))]),
    ]
  })
  const text = textOf([inner, outer])
  expect(text).toContain('(import "env" "memory" (memory (;0;) 2 2))')
  expect(text).toContain('(export "run" (func 1))')
  expect(text.match(/loop/g)).toHaveLength(2)
  expect(text).toMatch(/\(call 0\s+\(i32\.const 1024\)/)
  expect(text).toMatch(/\(else/)
})

it('runs what it encodes', async () => {
  const bytes = encodeModule(1, [
    defineFunction(['i32'], (_, [address]) => [
      v128.store(get(address), f32x4.mul(v128.load(get(address)), f32x4.splat(f32.load(get(address), 16)))),
    ]),
  ])
  const shared = new WebAssembly.Memory({ initial: 1, maximum: 1 })
  const { instance } = await WebAssembly.instantiate(bytes, { env: { memory: shared } })
  const values = new Float32Array(shared.buffer, 64, 5)
  values.set([1, 2, 3, -4, 10])
  ;(instance.exports['run'] as (address: number) => void)(64)
  expect([...values]).toEqual([10, 20, 30, -40, 10])
})

it('encodes modules for a memory of any size, with numbers of 64 bits', async () => {
  const bytes = encodeModule('any', [
    defineFunction(['i32', 'f64'], (_, [address, factor]) => [
      v128.store(
        get(address),
        f64x2.sub(
          f64x2.mul(v128.load(get(address)), f64x2.splat(get(factor))),
          f64x2.add(v128.load64_splat(get(address), 16), f64x2.const(1)),
        ),
      ),
      f64.store(
        get(address),
        f64.div(f64.sub(f64.load(get(address), 8), get(factor)), f64.mul(get(factor), get(factor))),
        16,
      ),
    ]),
  ])
  expect(readWasm(bytes, {}).toText({})).toContain('(memory (;0;) 0 65536)')
  for (const pages of [1, 3]) {
    const given = new WebAssembly.Memory({ initial: pages, maximum: pages })
    const { instance } = await WebAssembly.instantiate(bytes, { env: { memory: given } })
    const values = new Float64Array(given.buffer, 64, 3)
    values.set([1, 5, 7])
    ;(instance.exports['run'] as (address: number, factor: number) => void)(64, 4)
    expect([...values]).toEqual([-4, 12, 0.5])
  }
})
