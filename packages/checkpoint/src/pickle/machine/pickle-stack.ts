import { isKind, type PickleValue } from './pickle-value.ts'

type Kind = Extract<PickleValue, { kind: string }>['kind']

/** The operands of a pickle. Nothing below the last mark can be taken; `fail` is called with what was needed instead. */
export interface PickleStack {
  push(value: PickleValue): void
  pop(): PickleValue
  peek(): PickleValue
  /** Gives the top, which has to be of this kind, and keeps it. */
  top<K extends Kind>(kind: K): Extract<PickleValue, { kind: K }>
  /** The last `count`, in the order they were pushed. */
  popMany(count: number): PickleValue[]
  mark(): void
  popToMark(): PickleValue[]
  /** Drops the top: a value, or a mark with nothing above it. */
  discard(): void
  fail(expected: string): never
}

/** Creates an empty stack. `fail` throws. */
export function createPickleStack(fail: (expected: string) => never): PickleStack {
  const values: PickleValue[] = []
  const marks: number[] = []
  const floor = (): number => marks.at(-1) ?? 0

  const peek = (): PickleValue => {
    const value = values.at(-1)
    return value === undefined || values.length <= floor() ? fail('a value') : value
  }

  return {
    push(value) {
      values.push(value)
    },
    pop() {
      const value = peek()
      values.pop()
      return value
    },
    peek,
    top(kind) {
      const value = peek()
      return isKind(value, kind) ? value : fail(`a ${kind}`)
    },
    popMany(count) {
      if (values.length - count < floor()) fail(`${count} values`)
      return values.splice(values.length - count, count)
    },
    mark() {
      marks.push(values.length)
    },
    popToMark() {
      const position = marks.pop()
      return position === undefined ? fail('a mark') : values.splice(position)
    },
    discard() {
      if (marks.length > 0 && values.length === floor()) marks.pop()
      else {
        peek()
        values.pop()
      }
    },
    fail,
  }
}
