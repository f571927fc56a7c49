import { expect, it } from 'vitest'
import { checkProgram } from './check-program.ts'
import type { Program } from './program.ts'

it.each([
  [{ kind: 'reduce', reduce: 'sum', per: 'tensor', value: 1 }, '(reduce) of a program: instruction 1 does not exist'],
  [{ kind: 'reduce', reduce: 'sum', per: 'tensor', value: -1 }, 'instruction -1 does not exist, there are 1'],
  [{ kind: 'store', value: 1, dtype: 'F32' }, '(store) of a program: earlier instruction 1 does not exist'],
  [{ kind: 'histogram', value: 1, bins: 4, lo: 0, shift: 0 }, 'earlier instruction 1 does not exist'],
  [{ kind: 'histogram', value: 0, bins: 4, lo: 1, shift: 0 }, 'scalar 1 does not exist, there are 1'],
  [{ kind: 'histogram', value: 0, bins: 4, lo: 0, shift: 1 }, 'scalar 1 does not exist, there are 1'],
  [{ kind: 'reduce', reduce: 'quickSum', per: 'row', value: 0 }, 'beside something that is per row or column'],
  [{ kind: 'histogram', value: 0, bins: 0.5, lo: 0, shift: 0 }, '(histogram) of a program: 0.5 bins'],
  [{ kind: 'collect', value: 1, windows: [{ lo: 0, hi: 0 }] }, 'earlier instruction 1 does not exist'],
  [{ kind: 'collect', value: 0, windows: [] }, '(collect) of a program: no windows'],
  [{ kind: 'collect', value: 0, windows: [{ lo: 1, hi: 0 }] }, 'scalar 1 does not exist, there are 1'],
  [{ kind: 'collect', value: 0, windows: [{ lo: 0, hi: 1 }] }, 'scalar 1 does not exist, there are 1'],
  [{ kind: 'locate', mask: 0, nth: 0 }, '(locate) of a program: %0 is a value, expected a mask'],
])('says what is wrong with the output %j', (output, words) => {
  const instructions = [{ op: 'scalar', slot: 0 }]
  const program = { inputs: [], scalarCount: 1, vectors: [], instructions, outputs: [output] } as unknown as Program
  expect(() => checkProgram(program)).toThrow(words)
})

it.each([
  [{ op: 'input', slot: 1 }, 'instruction 0 (input) of a program: input 1 does not exist, there are 1'],
  [{ op: 'scalar', slot: 0.5 }, 'scalar 0.5 does not exist, there are 1'],
  [{ op: 'vector', slot: 1 }, 'vector 1 does not exist, there are 1'],
  [{ op: 'uniform', high: 0, low: 1 }, 'scalar 1 does not exist, there are 1'],
  [{ op: 'uniform', high: 1, low: 0 }, 'scalar 1 does not exist, there are 1'],
  [{ op: 'before', slot: 1 }, 'scalar 1 does not exist, there are 1'],
  [{ op: 'neg', a: 0 }, 'instruction 0 (neg) of a program: earlier instruction 0 does not exist, there are 0'],
  [{ op: 'sin' }, 'instruction 0 (sin) of a program: unknown operation'],
])('says what is wrong with the instruction %j', (instruction, words) => {
  const instructions = [instruction]
  const program = { inputs: ['F32'], scalarCount: 1, vectors: ['row'], instructions, outputs: [] }
  expect(() => checkProgram(program as unknown as Program)).toThrow(words)
})
