import { expect, test } from 'vitest'
import { type KeyedProgram, packPart, packPass, unpackPart, unpackPass } from './pack-tasks.ts'
import type { KernelWork, PassTask, TensorPass } from './task.ts'

const kernel = (programKey: string): KernelWork => ({
  kind: 'kernel',
  program: { inputs: [], instructions: [], outputs: [] } as never,
  programKey,
  scalars: [0.5],
  vectors: [new Float32Array([1, 2])],
  columns: 2,
})
const pass: Omit<TensorPass, 'work'> = { tensor: 3, sources: [], output: undefined, keep: true }

test.each<[string, TensorPass]>([
  ['kernels, with what recalls', { ...pass, work: kernel('a'), recall: kernel('b') }],
  ['copies that count', { ...pass, work: { kind: 'copy', input: 0, finite: kernel('a') } }],
  ['copies', { ...pass, work: { kind: 'copy', input: 0, finite: undefined } }],
  ['other work', { ...pass, work: { kind: 'read', input: 1 } }],
])('a pass of %s comes out of its message as it went in', (_, whole) => {
  const programs: KeyedProgram[] = []
  const packed = packPass(whole, (program) => programs.push(program) - 1)
  expect(JSON.stringify(packed)).not.toContain('programKey')
  expect(unpackPass<TensorPass>(structuredClone(packed), (number) => programs[number]!)).toEqual(whole)
})

test.each<Omit<PassTask, 'pass'>>([
  { ranges: [{ start: 0, end: 2 ** 40 }], groups: [7] },
  {
    ranges: [
      { start: 4, end: 8 },
      { start: 8, end: 9 },
    ],
    groups: [0, 1],
  },
  {
    ranges: [
      { start: 4, end: 8 },
      { start: 10, end: 12 },
    ],
    groups: [2, 2],
    gathered: true,
  },
])('a task’s ranges and groups come out of their message as they went in: %j', (part) => {
  expect(unpackPart(structuredClone(packPart(part)))).toEqual(part)
})
