import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { SafetensorsError, type SafetensorsIssue } from './errors.ts'
import { parseHeader, readHeaderLength } from './header.ts'

const fixtures = new URL('__fixtures__/', import.meta.url)
const names = readdirSync(fixtures).filter((name) => name.endsWith('.safetensors'))
const valid = names.filter((name) => name.startsWith('valid.'))
const hostile = names.filter((name) => !name.startsWith('valid.'))

const fixture = (name: string) => new Uint8Array(readFileSync(new URL(name, fixtures)))
const parse = (name: string) => {
  const bytes = fixture(name)
  return parseHeader(bytes, bytes.length, name)
}

/** 'opened' or the code of the issue; any other error passes through. */
function outcomeOf(run: () => unknown): SafetensorsIssue['code'] | 'opened' {
  try {
    run()
    return 'opened'
  } catch (error) {
    if (error instanceof SafetensorsError) return error.code
    throw error
  }
}

const fileOf = (header: string, dataBytes: number) => {
  const json = new TextEncoder().encode(header)
  const bytes = new Uint8Array(8 + json.length + dataBytes)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true)
  bytes.set(json, 8)
  return bytes
}

describe('parseHeader on hostile files', () => {
  it.each(hostile)('rejects %s by the rule it is named after', (name) => {
    expect(outcomeOf(() => parse(name))).toBe(name.split('.')[0])
  })

  it('has a hostile file for every rule of the format', () => {
    const rules: SafetensorsIssue['code'][] = [
      'file-too-short',
      'header-too-long',
      'header-past-end',
      'header-not-utf8',
      'header-not-json',
      'header-not-object',
      'duplicate-key',
      'bad-metadata',
      'bad-entry',
      'unknown-dtype',
      'unsupported-dtype',
      'bad-shape',
      'shape-overflow',
      'bad-offsets',
      'offsets-out-of-range',
      'size-mismatch',
      'overlap',
      'hole',
    ]
    expect(new Set(hostile.map((name) => name.split('.')[0]))).toEqual(new Set(rules))
  })

  it('names the file, the tensor and the numbers', () => {
    expect(() => parse('offsets-out-of-range.truncated.safetensors')).toThrow(
      "offsets-out-of-range.truncated.safetensors: tensor 'a' ends at byte 79, but the file has only 75; it is truncated",
    )
    expect(() => parse('overlap.partial.safetensors')).toThrow(/tensors 'a' and 'b' overlap at byte \d+/)
    expect(() => parse('size-mismatch.too-few.safetensors')).toThrow("tensor 'a' has 4 bytes; F32 [2] takes 8")
  })

  it('needs only the header, not the data', () => {
    const bytes = fixture('valid.scalar.safetensors')
    const headerBytes = readHeaderLength(bytes, bytes.length)
    expect(parseHeader(bytes.subarray(0, headerBytes), bytes.length).tensors).toHaveLength(1)
    expect(() => parseHeader(bytes.subarray(0, headerBytes - 1), bytes.length)).toThrow(RangeError)
  })

  it('survives every single flipped byte with a result or an issue', () => {
    const bytes = fixture('valid.zero-size-tensor.safetensors')
    const outcomes = new Set<string>()
    for (let at = 0; at < bytes.length; at++) {
      for (const flip of [1, 0x20, 0x80]) {
        const changed = bytes.slice()
        changed[at]! ^= flip
        outcomes.add(outcomeOf(() => parseHeader(changed, changed.length)))
      }
    }
    expect([...outcomes]).toEqual(expect.arrayContaining(['opened', 'header-not-json', 'size-mismatch', 'bad-offsets']))
  })
})

describe('the tensors of a file', () => {
  const offsetsOf = (...tensors: readonly (readonly [number, number])[]) => {
    const entries = tensors.map(([start, end], index) => [
      `t${index}`,
      { dtype: 'U8', shape: [end - start], data_offsets: [start, end] },
    ])
    return JSON.stringify(Object.fromEntries(entries))
  }
  const outcome = (dataBytes: number, ...tensors: readonly (readonly [number, number])[]) =>
    outcomeOf(() => {
      const bytes = fileOf(offsetsOf(...tensors), dataBytes)
      parseHeader(bytes, bytes.length)
    })

  it('touch', () => expect(outcome(7, [0, 4], [4, 7])).toBe('opened'))
  it('do not share a byte', () => expect(outcome(6, [0, 4], [3, 6])).toBe('overlap'))
  it('do not share a byte in the middle of others', () =>
    expect(outcome(9, [0, 3], [3, 6], [5, 8], [8, 9])).toBe('overlap'))
  it('do not stand inside another', () => expect(outcome(6, [0, 6], [5, 6])).toBe('overlap'))
  it('leave no byte between them', () => expect(outcome(8, [0, 4], [5, 8])).toBe('hole'))
  it('leave no byte before the first', () => expect(outcome(4, [1, 4])).toBe('hole'))
  it('leave no byte after the last', () => expect(outcome(5, [0, 4])).toBe('hole'))
  it('do not go a byte past the end', () => expect(outcome(6, [0, 4], [4, 7])).toBe('offsets-out-of-range'))

  it('are told where they overlap', () => {
    const bytes = fileOf(offsetsOf([0, 4], [3, 6]), 6)
    expect(() => parseHeader(bytes, bytes.length)).toThrow(
      expect.objectContaining({
        issue: expect.objectContaining({ tensor: 't1', other: 't0', byte: bytes.length - 3 }),
      }),
    )
  })
})

describe('parseHeader', () => {
  it.each(valid)('opens %s', (name) => {
    expect(parse(name).headerBytes).toBeGreaterThanOrEqual(10)
  })

  it('gives absolute bytes in the order of the file', () => {
    const { tensors, headerBytes } = parse('valid.out-of-order.safetensors')
    expect(
      tensors.map(({ name, byteStart, byteEnd }) => [name, byteStart - headerBytes, byteEnd - headerBytes]),
    ).toEqual([
      ['first', 0, 8],
      ['second', 8, 12],
    ])
  })

  it('puts an empty tensor between its neighbors', () => {
    expect(parse('valid.zero-size-tensor.safetensors').tensors.map(({ name }) => name)).toEqual(['a', 'empty', 'b'])
  })

  it('takes names that mean something to JavaScript', () => {
    expect(parse('valid.special-names.safetensors').tensors.map(({ name }) => name)).toEqual(['__proto__', '12', '"}:'])
  })

  it('reads metadata, and none as none', () => {
    const bytes = fileOf('{"__metadata__":{"format":"pt","a\\"b":"{:}"}}', 0)
    expect(parseHeader(bytes, bytes.length).metadata).toEqual({ format: 'pt', 'a"b': '{:}' })
    expect(parse('valid.empty.safetensors').metadata).toEqual({})
  })

  it('reads a view into a larger buffer', () => {
    const bytes = fixture('valid.scalar.safetensors')
    const padded = new Uint8Array(bytes.length + 3)
    padded.set(bytes, 3)
    expect(parseHeader(padded.subarray(3), bytes.length).tensors[0]?.name).toBe('s')
  })
})

describe('what a header has instead', () => {
  const messageOf = (header: string) => {
    const bytes = fileOf(header, 0)
    try {
      parseHeader(bytes, bytes.length)
    } catch (error) {
      return (error as Error).message
    }
    return 'opened'
  }
  const kinds = [
    ['null', 'null'],
    ['[]', 'an array'],
    ['3', 'a number'],
    ['"x"', 'a string'],
    ['true', 'a boolean'],
  ] as const

  it.each(kinds)('of an object, %s, is named', (json, kind) => {
    expect(messageOf(json)).toMatch(new RegExp(`\\b${kind}\\b`))
    expect(messageOf(`{"__metadata__":${json}}`)).toContain(`found ${kind}`)
    expect(messageOf(`{"a":${json}}`)).toContain(`is ${kind}`)
  })

  it.each([...kinds.filter(([, kind]) => kind !== 'a string'), ['{}', 'an object'] as const])(
    'of a text, %s, is named',
    (json, kind) => {
      expect(messageOf(`{"__metadata__":{"k":${json}}}`)).toContain(`'k' is ${kind}`)
      expect(messageOf(`{"a":{"dtype":${json},"shape":[],"data_offsets":[0,0]}}`)).toContain(`a dtype that is ${kind}`)
    },
  )

  it.each(['dtype', 'shape', 'data_offsets'])('lacks %s', (key) => {
    const { [key]: _, ...entry } = { dtype: 'F32', shape: [0], data_offsets: [0, 0] } as Record<string, unknown>
    expect(messageOf(JSON.stringify({ a: entry }))).toMatch(new RegExp(`has no ${key}\\b`))
  })
})

describe('dtypes', () => {
  const outcome = (dtype: string, dataBytes: number) => {
    const bytes = fileOf(JSON.stringify({ a: { dtype, shape: [3], data_offsets: [0, dataBytes] } }), dataBytes)
    return outcomeOf(() => parseHeader(bytes, bytes.length))
  }

  it.each<[number, string[]]>([
    [8, ['F64', 'I64', 'U64']],
    [4, ['F32', 'I32', 'U32']],
    [2, ['F16', 'BF16', 'I16', 'U16']],
    [1, ['F8_E4M3', 'F8_E5M2', 'I8', 'U8', 'BOOL']],
  ])('of %s bytes are read', (bytes, dtypes) => {
    for (const dtype of dtypes) {
      expect(outcome(dtype, 3 * bytes)).toBe('opened')
      expect(outcome(dtype, 3 * bytes - 1)).toBe('size-mismatch')
    }
  })

  it.each(['F4', 'F6_E2M3', 'F6_E3M2', 'F8_E8M0', 'F8_E4M3FNUZ', 'F8_E5M2FNUZ', 'C64'])(
    '%s is one of the format, and of no use here',
    (dtype) => {
      expect(outcome(dtype, 3)).toBe('unsupported-dtype')
    },
  )

  it.each(['F31', 'f32', '', 'hasOwnProperty'])('%j is none', (dtype) => {
    expect(outcome(dtype, 3)).toBe('unknown-dtype')
  })
})

describe('a shape', () => {
  const outcome = (shape: string, dataBytes: number) => {
    const bytes = fileOf(`{"a":{"dtype":"U8","shape":${shape},"data_offsets":[0,${dataBytes}]}}`, dataBytes)
    return outcomeOf(() => parseHeader(bytes, bytes.length))
  }

  it('has at most 64 dimensions', () => {
    expect(outcome(JSON.stringify(Array(64).fill(1)), 1)).toBe('opened')
    expect(outcome(JSON.stringify(Array(65).fill(1)), 1)).toBe('too-many-dimensions')
  })

  it('has whole numbers from 0 on', () => {
    for (const shape of ['[]', '[1]', '[1.0]']) expect(outcome(shape, 1)).toBe('opened')
    expect(outcome('[0]', 0)).toBe('opened')
    for (const shape of ['[-1]', '[0.5]', '["1"]', '[null]', '1', '{}', '"1"', 'null'])
      expect(outcome(shape, 1)).toBe('bad-shape')
  })

  it('holds fewer than 2^53 bytes, whatever else is 0', () => {
    expect(outcome('[9007199254740992]', 0)).toBe('shape-overflow')
    expect(outcome('[0,9007199254740991]', 0)).toBe('opened')
    expect(outcome('[0,9007199254740992]', 0)).toBe('shape-overflow')
    expect(outcome('[0,134217728,134217728]', 0)).toBe('shape-overflow')
  })
})

describe('keys of a header', () => {
  const outcome = (...keys: readonly string[]) => {
    const entry = '{"dtype":"U8","shape":[0],"data_offsets":[0,0]}'
    const bytes = fileOf(`{${keys.map((key) => `${key}:${entry}`).join()}}`, 0)
    return outcomeOf(() => parseHeader(bytes, bytes.length))
  }

  it.each([
    ['"a"', '"a"'],
    ['"a"', String.raw`"\u0061"`],
    [String.raw`"a\""`, String.raw`"a\""`],
    [String.raw`"a\\"`, String.raw`"a\\"`],
    [String.raw`"\\\""`, '"b"', String.raw`"\\\""`],
  ])('are not repeated: %s', (...keys) => {
    expect(outcome(...keys)).toBe('duplicate-key')
  })

  it.each([
    ['"a"', '"aa"'],
    ['"a"', '"A"'],
    [String.raw`"a\""`, String.raw`"a\\"`],
    ['":"', '"{"', '"}"', '"["', '"]"'],
    ['"dtype"', '"shape"'],
  ])('differ: %s', (...keys) => {
    expect(outcome(...keys)).toBe('opened')
  })
})

describe('the length of a header', () => {
  const lengthOf = (headerBytes: bigint, fileBytes: number) => {
    const first = new Uint8Array(8)
    new DataView(first.buffer).setBigUint64(0, headerBytes, true)
    return outcomeOf(() => readHeaderLength(first, fileBytes))
  }

  it('is at most 100 million bytes', () => {
    expect([lengthOf(100_000_000n, 2 ** 30), lengthOf(100_000_001n, 2 ** 30)]).toEqual(['opened', 'header-too-long'])
  })

  it('ends inside the file', () => {
    expect([lengthOf(2n, 10), lengthOf(3n, 10)]).toEqual(['opened', 'header-past-end'])
    expect(lengthOf(0n, 8)).toBe('opened')
  })

  it('takes 8 bytes', () => {
    expect(outcomeOf(() => readHeaderLength(new Uint8Array(7), 8))).toBe('file-too-short')
    expect(outcomeOf(() => readHeaderLength(new Uint8Array(8), 7))).toBe('file-too-short')
  })
})

it('is a failure where a file changes or is not wholly written; all else is for the user to mend', () => {
  const failures = Object.entries(SafetensorsError.rules).flatMap(([code, { fault }]) =>
    fault === 'failure' ? [code] : [],
  )
  expect(failures).toEqual(['write-out-of-range', 'incomplete', 'file-shrank'])
})

it('shows what it quotes of the file without control characters', () => {
  const bytes = fileOf('{"a": \u001b[31m', 0)
  expect(() => parseHeader(bytes, bytes.length)).toThrow(
    expect.objectContaining({ code: 'header-not-json', message: expect.not.stringContaining('\u001b') }),
  )
})
