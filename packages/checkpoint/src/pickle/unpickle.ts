import { CheckpointError } from '../errors.ts'
import type { ByteCursor } from './byte-cursor.ts'
import { createPickleStack } from './pickle-stack.ts'
import { describeValue, isKind, type PickleGlobal, type PickleTuple, type PickleValue } from './pickle-value.ts'

/** What a pickle may refer to outside itself. */
export interface PickleScope {
  readonly globals: ReadonlyMap<string, PickleGlobal>
  /** What a persistent id stands for; undefined if it is none. */
  persistent(id: PickleValue): PickleValue | undefined
}

/** A checkpoint of 100,000 tensors has about 4 million opcodes and 40 MB of pickle. */
export interface PickleLimits {
  readonly opcodes: number
  readonly pickleBytes: number
  readonly stringBytes: number
  readonly integerBytes: number
}

export const pickleLimits: PickleLimits = {
  opcodes: 1 << 23,
  pickleBytes: 1 << 28,
  stringBytes: 1 << 24,
  integerBytes: 32,
}

const mask64 = 0xffff_ffff_ffff_ffffn
const decoder = new TextDecoder()
const latin1 = new TextDecoder('latin1')

/**
 * Reads one pickle of protocol 2 to 5 up to its STOP, by the opcodes of PEP 3154 and 574 that data needs. Values are
 * plain data; a global is looked up in `scope`, and nothing else can be called. Takes time and memory in proportion
 * to the length of the pickle, and nests nothing on the JavaScript stack.
 */
export function unpickle(cursor: ByteCursor, scope: PickleScope, limits: PickleLimits = pickleLimits): PickleValue {
  const { file } = cursor
  const start = cursor.position
  const memo = new Map<number, PickleValue>()
  let opcodeByte = start
  let opcode = 0
  const stack = createPickleStack((expected) => {
    throw new CheckpointError({ code: 'pickle-stack', file, byte: opcodeByte, opcode: printable(opcode), expected })
  })

  const limit = (what: string, found: number, most: number): void => {
    if (found > most) throw new CheckpointError({ code: 'pickle-limit', file, what, found, limit: most })
  }
  const unsigned = (byteCount: 1 | 2 | 4 | 8): number => {
    let value = 0
    const bytes = cursor.readBytes(byteCount)
    for (let index = byteCount - 1; index >= 0; index--) value = value * 256 + bytes[index]!
    return value
  }
  const bytes = (byteCount: number): Uint8Array => {
    limit('the length of a string in the pickle', byteCount, limits.stringBytes)
    return cursor.readBytes(byteCount)
  }
  const text = (byteCount: number): string => decoder.decode(bytes(byteCount))
  const line = (): string => {
    let value = ''
    for (let byte = cursor.readByte(); byte !== 10; byte = cursor.readByte()) {
      limit('the length of a name in the pickle', value.length, 1024)
      value += String.fromCharCode(byte)
    }
    return value
  }
  const integer = (byteCount: number): number | bigint => {
    limit('the size of an integer in the pickle', byteCount, limits.integerBytes)
    const view = cursor.readBytes(byteCount)
    let value = 0n
    for (let index = byteCount - 1; index >= 0; index--) value = (value << 8n) | BigInt(view[index]!)
    value = BigInt.asIntN(byteCount * 8, value)
    return value <= mask64 && Number.isSafeInteger(Number(value)) ? Number(value) : value
  }
  const findGlobal = (name: string): PickleGlobal => {
    const found = scope.globals.get(name)
    if (found === undefined) throw new CheckpointError({ code: 'pickle-global', file, byte: opcodeByte, name })
    return found
  }
  const recall = (index: number): PickleValue => {
    const value = memo.get(index)
    if (value === undefined) throw new CheckpointError({ code: 'pickle-memo', file, byte: opcodeByte, index })
    return value
  }
  const call = (callee: PickleValue, args: PickleTuple): PickleValue => {
    const name = isKind(callee, 'global') ? callee.name : describeValue(callee)
    const expected = (isKind(callee, 'global') && callee.parameters) || 'something that can be called'
    const result = isKind(callee, 'global') ? callee.call?.(args.items) : undefined
    if (result === undefined) throw new CheckpointError({ code: 'pickle-call', file, byte: opcodeByte, name, expected })
    return result
  }
  const persistent = (id: PickleValue): PickleValue => {
    const value = scope.persistent(id)
    if (value === undefined) {
      throw new CheckpointError({ code: 'pickle-persistent-id', file, byte: opcodeByte, found: describeValue(id) })
    }
    return value
  }
  const setItems = (pairs: readonly PickleValue[]): void => {
    const { entries } = stack.top('dict')
    if (pairs.length % 2 !== 0) stack.fail('a value for every key')
    for (let index = 0; index < pairs.length; index += 2) entries.set(pairs[index]!, pairs[index + 1]!)
  }
  const tuple = (items: readonly PickleValue[]): PickleTuple => ({ kind: 'tuple', items })

  for (let count = 1; ; count++) {
    opcodeByte = cursor.position
    limit('the number of opcodes in the pickle', count, limits.opcodes)
    limit('the length of the pickle', opcodeByte - start, limits.pickleBytes)
    opcode = cursor.readByte()
    switch (opcode) {
      case 0x80: {
        // PROTO
        const protocol = cursor.readByte()
        limit('the pickle protocol', protocol, 5)
        break
      }
      case 0x95: // FRAME
        cursor.readBytes(8)
        break
      case 0x2e: // STOP
        return stack.pop()
      case 0x28: // MARK
        stack.mark()
        break
      case 0x30: // POP
        stack.discard()
        break
      case 0x31: // POP_MARK
        stack.popToMark()
        break
      case 0x32: // DUP
        stack.push(stack.peek())
        break
      case 0x4e: // NONE
        stack.push(null)
        break
      case 0x88: // NEWTRUE
        stack.push(true)
        break
      case 0x89: // NEWFALSE
        stack.push(false)
        break
      case 0x4a: // BININT
        stack.push(unsigned(4) | 0)
        break
      case 0x4b: // BININT1
        stack.push(unsigned(1))
        break
      case 0x4d: // BININT2
        stack.push(unsigned(2))
        break
      case 0x8a: // LONG1
        stack.push(integer(unsigned(1)))
        break
      case 0x8b: // LONG4
        stack.push(integer(unsigned(4)))
        break
      case 0x47: {
        // BINFLOAT
        const view = cursor.readBytes(8)
        stack.push(new DataView(view.buffer, view.byteOffset, 8).getFloat64(0))
        break
      }
      case 0x58: // BINUNICODE
        stack.push(text(unsigned(4)))
        break
      case 0x8c: // SHORT_BINUNICODE
        stack.push(text(unsigned(1)))
        break
      case 0x8d: // BINUNICODE8
        stack.push(text(unsigned(8)))
        break
      case 0x54: // BINSTRING
        stack.push(latin1.decode(bytes(unsigned(4))))
        break
      case 0x55: // SHORT_BINSTRING
        stack.push(latin1.decode(bytes(unsigned(1))))
        break
      case 0x42: // BINBYTES
        stack.push(bytes(unsigned(4)).slice())
        break
      case 0x43: // SHORT_BINBYTES
        stack.push(bytes(unsigned(1)).slice())
        break
      case 0x8e: // BINBYTES8
        stack.push(bytes(unsigned(8)).slice())
        break
      case 0x29: // EMPTY_TUPLE
        stack.push(tuple([]))
        break
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        stack.push(tuple(stack.popMany(opcode - 0x84)))
        break
      case 0x74: // TUPLE
        stack.push(tuple(stack.popToMark()))
        break
      case 0x5d: // EMPTY_LIST
        stack.push({ kind: 'list', items: [] })
        break
      case 0x6c: // LIST
        stack.push({ kind: 'list', items: stack.popToMark() })
        break
      case 0x61: {
        // APPEND
        const [item] = stack.popMany(1)
        stack.top('list').items.push(item!)
        break
      }
      case 0x65: {
        // APPENDS
        const added = stack.popToMark()
        const { items } = stack.top('list')
        for (const item of added) items.push(item)
        break
      }
      case 0x7d: // EMPTY_DICT
        stack.push({ kind: 'dict', entries: new Map() })
        break
      case 0x64: {
        // DICT
        const pairs = stack.popToMark()
        stack.push({ kind: 'dict', entries: new Map() })
        setItems(pairs)
        break
      }
      case 0x73: // SETITEM
        setItems(stack.popMany(2))
        break
      case 0x75: // SETITEMS
        setItems(stack.popToMark())
        break
      case 0x8f: // EMPTY_SET
        stack.push({ kind: 'set', items: [] })
        break
      case 0x90: {
        // ADDITEMS
        const added = stack.popToMark()
        const { items } = stack.top('set')
        for (const item of added) items.push(item)
        break
      }
      case 0x91: // FROZENSET
        stack.push({ kind: 'set', items: stack.popToMark() })
        break
      case 0x71: // BINPUT
        memo.set(unsigned(1), stack.peek())
        break
      case 0x72: // LONG_BINPUT
        memo.set(unsigned(4), stack.peek())
        break
      case 0x94: // MEMOIZE
        memo.set(memo.size, stack.peek())
        break
      case 0x68: // BINGET
        stack.push(recall(unsigned(1)))
        break
      case 0x6a: // LONG_BINGET
        stack.push(recall(unsigned(4)))
        break
      case 0x63: {
        // GLOBAL
        const module = line()
        stack.push(findGlobal(`${module}.${line()}`))
        break
      }
      case 0x93: {
        // STACK_GLOBAL
        const [module, name] = stack.popMany(2)
        if (typeof module !== 'string' || typeof name !== 'string') return stack.fail('two strings')
        stack.push(findGlobal(`${module}.${name}`))
        break
      }
      case 0x52: // REDUCE
      case 0x81: {
        // NEWOBJ
        const args = stack.top('tuple')
        stack.discard()
        stack.push(call(stack.pop(), args))
        break
      }
      case 0x62: // BUILD: attributes of a dict, such as an OrderedDict's _metadata; nothing that tensors need
        stack.discard()
        stack.top('dict')
        break
      case 0x51: // BINPERSID
        stack.push(persistent(stack.pop()))
        break
      default:
        throw new CheckpointError({ code: 'pickle-opcode', file, byte: opcodeByte, opcode })
    }
  }
}

const printable = (opcode: number): string =>
  opcode > 0x20 && opcode < 0x7f ? `'${String.fromCharCode(opcode)}'` : `0x${opcode.toString(16).padStart(2, '0')}`
