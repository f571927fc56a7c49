import { CheckpointError } from '../../errors.ts'
import type { ByteCursor } from './byte-cursor.ts'
import { opcodes, type PickleMachine, stop, wordsOf } from './opcodes.ts'
import { createOperands, type OperandLimits } from './operands.ts'
import { createPickleStack } from './pickle-stack.ts'
import { describeValue, isKind, type PickleGlobal, type PickleValue, sizeOfArguments } from './pickle-value.ts'

/** What a pickle may refer to outside itself. */
export interface PickleScope {
  readonly globals: ReadonlyMap<string, PickleGlobal>
  /** What a persistent id stands for; undefined if it is none. */
  persistent(id: PickleValue): PickleValue | undefined
}

/** 100,000 tensors are about 4 million opcodes and 40 MB of pickle; no file has more than some 10,000, at 180 words each; the limit is that of 40,000. */
export interface PickleLimits extends OperandLimits {
  readonly opcodes: number
  readonly pickleBytes: number
  /** Of what is made of the pickle, in words of 8 bytes, whether by an opcode or by a call that copies what it is given. */
  readonly words: number
}

export const pickleLimits: PickleLimits = {
  opcodes: 1 << 23,
  pickleBytes: 1 << 28,
  stringBytes: 1 << 24,
  integerBytes: 32,
  words: 8_000_000,
}

const costs: readonly number[] = Array.from({ length: 256 }, (_, opcode) => wordsOf[opcode] ?? 2)

/**
 * Reads one pickle of protocol 2 to 5 up to its STOP, by the opcodes that data needs. Values are plain data; a global is looked
 * up in `scope`, and nothing else can be called. Takes time and memory in proportion to the length of the pickle, within
 * `limits` also where calls copy, and nests nothing on the JavaScript stack.
 * @throws CheckpointError `pickle-…`
 */
export function unpickle(cursor: ByteCursor, scope: PickleScope, limits: PickleLimits = pickleLimits): PickleValue {
  const { file } = cursor
  const start = cursor.position
  const memo = new Map<number, PickleValue>()
  let byte = start
  let opcode = 0
  let words = 0

  const check = (what: string, found: number, most: number): void => {
    if (found > most) throw new CheckpointError({ code: 'pickle-limit', file, what, found, limit: most })
  }
  const spend = (more: number): void => {
    words += more
    if (words > limits.words)
      check('the memory that the pickle takes, in words of 8 bytes', Math.ceil(words), limits.words)
  }
  const stack = createPickleStack((expected) => {
    throw new CheckpointError({ code: 'pickle-stack', file, byte, opcode: printable(opcode), expected })
  })
  const machine: PickleMachine = {
    operands: createOperands(cursor, limits, check),
    stack,
    memo,
    check,
    recall(index) {
      const value = memo.get(index)
      if (value === undefined) throw new CheckpointError({ code: 'pickle-memo', file, byte, index })
      return value
    },
    findGlobal(name) {
      const found = scope.globals.get(name)
      if (found === undefined) throw new CheckpointError({ code: 'pickle-global', file, byte, name })
      return found
    },
    findPersistent(id) {
      const value = scope.persistent(id)
      if (value === undefined)
        throw new CheckpointError({ code: 'pickle-persistent-id', file, byte, found: describeValue(id) })
      return value
    },
    call(callee, args) {
      const known = isKind(callee, 'global') ? callee : undefined
      spend(sizeOfArguments(args.items))
      const result = known?.call?.(args.items)
      if (result !== undefined) return result
      const name = known?.name ?? describeValue(callee)
      const expected = known?.parameters ?? 'something that can be called'
      throw new CheckpointError({ code: 'pickle-call', file, byte, name, expected })
    },
  }

  for (let count = 1; ; count++) {
    byte = cursor.position
    check('the number of opcodes in the pickle', count, limits.opcodes)
    check('the length of the pickle', byte - start, limits.pickleBytes)
    opcode = cursor.readByte()
    if (opcode === stop) return stack.pop()
    const run = opcodes[opcode]
    if (run === undefined) throw new CheckpointError({ code: 'pickle-opcode', file, byte, opcode })
    run(machine)
    spend(costs[opcode]! + (cursor.position - byte) / 8)
  }
}

const printable = (opcode: number): string =>
  opcode > 0x20 && opcode < 0x7f ? `'${String.fromCharCode(opcode)}'` : `0x${opcode.toString(16).padStart(2, '0')}`
