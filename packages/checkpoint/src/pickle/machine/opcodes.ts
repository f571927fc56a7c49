import type { Operands } from './operands.ts'
import type { PickleStack } from './pickle-stack.ts'
import type { PickleGlobal, PickleTuple, PickleValue } from './pickle-value.ts'

/** What an opcode works on. Each lookup throws where there is nothing to find. */
export interface PickleMachine {
  readonly operands: Operands
  readonly stack: PickleStack
  readonly memo: Map<number, PickleValue>
  readonly check: (what: string, found: number, most: number) => void
  recall(index: number): PickleValue
  findGlobal(name: string): PickleGlobal
  findPersistent(id: PickleValue): PickleValue
  call(callee: PickleValue, args: PickleTuple): PickleValue
}

type Run = (machine: PickleMachine) => void

/** STOP, which ends a pickle. */
export const stop = 0x2e
const newestProtocol = 5

/**
 * The opcodes of protocols 2 to 5 that data needs, by the names of Python's pickletools (PEP 307, 3154 and 574). STOP
 * ends the loop that runs them.
 */
const table: Readonly<Record<string, readonly [opcode: number, run: Run]>> = {
  PROTO: [0x80, ({ operands, check }) => check('the pickle protocol', operands.unsigned(1), newestProtocol)],
  FRAME: [0x95, ({ operands }) => operands.skip(8)],

  MARK: [0x28, ({ stack }) => stack.mark()],
  POP: [0x30, ({ stack }) => stack.discard()],
  POP_MARK: [0x31, ({ stack }) => void stack.popToMark()],
  DUP: [0x32, ({ stack }) => stack.push(stack.peek())],

  NONE: [0x4e, ({ stack }) => stack.push(null)],
  NEWTRUE: [0x88, ({ stack }) => stack.push(true)],
  NEWFALSE: [0x89, ({ stack }) => stack.push(false)],
  BININT: [0x4a, ({ stack, operands }) => stack.push(operands.unsigned(4) | 0)],
  BININT1: [0x4b, ({ stack, operands }) => stack.push(operands.unsigned(1))],
  BININT2: [0x4d, ({ stack, operands }) => stack.push(operands.unsigned(2))],
  LONG1: [0x8a, ({ stack, operands }) => stack.push(operands.integer(operands.unsigned(1)))],
  LONG4: [0x8b, ({ stack, operands }) => stack.push(operands.integer(operands.unsigned(4)))],
  BINFLOAT: [0x47, ({ stack, operands }) => stack.push(operands.float())],

  BINUNICODE: [0x58, ({ stack, operands }) => stack.push(operands.text(operands.unsigned(4)))],
  SHORT_BINUNICODE: [0x8c, ({ stack, operands }) => stack.push(operands.text(operands.unsigned(1)))],
  BINUNICODE8: [0x8d, ({ stack, operands }) => stack.push(operands.text(operands.unsigned(8)))],
  BINSTRING: [0x54, ({ stack, operands }) => stack.push(operands.latin1(operands.unsigned(4)))],
  SHORT_BINSTRING: [0x55, ({ stack, operands }) => stack.push(operands.latin1(operands.unsigned(1)))],
  BINBYTES: [0x42, ({ stack, operands }) => stack.push(operands.bytes(operands.unsigned(4)).slice())],
  SHORT_BINBYTES: [0x43, ({ stack, operands }) => stack.push(operands.bytes(operands.unsigned(1)).slice())],
  BINBYTES8: [0x8e, ({ stack, operands }) => stack.push(operands.bytes(operands.unsigned(8)).slice())],

  EMPTY_TUPLE: [0x29, ({ stack }) => stack.push(tuple([]))],
  TUPLE1: [0x85, ({ stack }) => stack.push(tuple(stack.popMany(1)))],
  TUPLE2: [0x86, ({ stack }) => stack.push(tuple(stack.popMany(2)))],
  TUPLE3: [0x87, ({ stack }) => stack.push(tuple(stack.popMany(3)))],
  TUPLE: [0x74, ({ stack }) => stack.push(tuple(stack.popToMark()))],

  EMPTY_LIST: [0x5d, ({ stack }) => stack.push({ kind: 'list', items: [] })],
  LIST: [0x6c, ({ stack }) => stack.push({ kind: 'list', items: stack.popToMark() })],
  APPEND: [0x61, ({ stack }) => addItems(stack, 'list', stack.popMany(1))],
  APPENDS: [0x65, ({ stack }) => addItems(stack, 'list', stack.popToMark())],

  EMPTY_DICT: [0x7d, ({ stack }) => stack.push({ kind: 'dict', entries: new Map() })],
  DICT: [
    0x64,
    ({ stack }) => {
      const pairs = stack.popToMark()
      stack.push({ kind: 'dict', entries: new Map() })
      setItems(stack, pairs)
    },
  ],
  SETITEM: [0x73, ({ stack }) => setItems(stack, stack.popMany(2))],
  SETITEMS: [0x75, ({ stack }) => setItems(stack, stack.popToMark())],

  EMPTY_SET: [0x8f, ({ stack }) => stack.push({ kind: 'set', items: [] })],
  FROZENSET: [0x91, ({ stack }) => stack.push({ kind: 'set', items: stack.popToMark() })],
  ADDITEMS: [0x90, ({ stack }) => addItems(stack, 'set', stack.popToMark())],

  BINPUT: [0x71, ({ stack, memo, operands }) => void memo.set(operands.unsigned(1), stack.peek())],
  LONG_BINPUT: [0x72, ({ stack, memo, operands }) => void memo.set(operands.unsigned(4), stack.peek())],
  MEMOIZE: [0x94, ({ stack, memo }) => void memo.set(memo.size, stack.peek())],
  BINGET: [0x68, ({ stack, operands, recall }) => stack.push(recall(operands.unsigned(1)))],
  LONG_BINGET: [0x6a, ({ stack, operands, recall }) => stack.push(recall(operands.unsigned(4)))],

  GLOBAL: [
    0x63,
    ({ stack, operands, findGlobal }) => {
      const module = operands.line()
      stack.push(findGlobal(`${module}.${operands.line()}`))
    },
  ],
  STACK_GLOBAL: [
    0x93,
    ({ stack, findGlobal }) => {
      const [module, name] = stack.popMany(2)
      if (typeof module !== 'string' || typeof name !== 'string') return stack.fail('two strings')
      stack.push(findGlobal(`${module}.${name}`))
    },
  ],
  REDUCE: [0x52, (machine) => reduce(machine)],
  NEWOBJ: [0x81, (machine) => reduce(machine)],
  // Attributes of a dict, such as an OrderedDict's _metadata: nothing that tensors need.
  BUILD: [
    0x62,
    ({ stack }) => {
      stack.discard()
      stack.top('dict')
    },
  ],
  BINPERSID: [0x51, ({ stack, findPersistent }) => stack.push(findPersistent(stack.pop()))],
}

/** Holds what to run by opcode; undefined for those that no state dict needs. */
export const opcodes: readonly (Run | undefined)[] = byOpcode(new Map(Object.values(table)))

/** What opcodes make, in words of 8 bytes, where that is more than a place on the stack. */
export const wordsOf: Readonly<Record<number, number>> = {
  [0x28]: 4, // MARK
  [0x5d]: 8, // EMPTY_LIST
  [0x6c]: 8, // LIST
  [0x7d]: 32, // EMPTY_DICT
  [0x64]: 32, // DICT
  [0x8f]: 10, // EMPTY_SET
  [0x91]: 10, // FROZENSET
  [0x29]: 8, // EMPTY_TUPLE
  [0x85]: 9, // TUPLE1
  [0x86]: 10, // TUPLE2
  [0x87]: 11, // TUPLE3
  [0x74]: 9, // TUPLE
  [0x71]: 6, // BINPUT
  [0x72]: 6, // LONG_BINPUT
  [0x94]: 6, // MEMOIZE
  [0x73]: 6, // SETITEM
  [0x52]: 10, // REDUCE
  [0x81]: 10, // NEWOBJ
}

function byOpcode(runs: ReadonlyMap<number, Run>): (Run | undefined)[] {
  return Array.from({ length: 256 }, (_, opcode) => runs.get(opcode))
}

const tuple = (items: readonly PickleValue[]): PickleTuple => ({ kind: 'tuple', items })

function addItems(stack: PickleStack, kind: 'list' | 'set', added: readonly PickleValue[]): void {
  const list = stack.top(kind)
  // A list that is pushed to for the first time would take room for seventeen.
  if (list.items.length === 0) list.items = [...added]
  else for (const item of added) list.items.push(item)
}

function setItems(stack: PickleStack, pairs: readonly PickleValue[]): void {
  const { entries } = stack.top('dict')
  if (pairs.length % 2 !== 0) stack.fail('a value for every key')
  for (let index = 0; index < pairs.length; index += 2) entries.set(pairs[index]!, pairs[index + 1]!)
}

function reduce({ stack, call }: PickleMachine): void {
  const args = stack.top('tuple')
  stack.discard()
  stack.push(call(stack.pop(), args))
}
