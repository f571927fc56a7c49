import { expect, it } from 'vitest'
import { encodeModel } from './model.ts'
import { integerField, stringField } from './protobuf.ts'

it('writes integers as varints, negative ones as 64 bits', () => {
  expect([...integerField(1, 0)]).toEqual([0x08, 0])
  expect([...integerField(20, 300)]).toEqual([0xa0, 0x01, 0xac, 0x02])
  expect([...integerField(3, -1)]).toEqual([0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01])
})

it('writes text as UTF-8 with its length', () => {
  expect([...stringField(2, 'né')]).toEqual([0x12, 3, 0x6e, 0xc3, 0xa9])
})

it('writes a model as onnx.proto3 has it', () => {
  const model = encodeModel({
    opset: 26,
    inputs: [{ name: 'x', type: 'float32', shape: ['n', 4] }],
    outputs: [],
    constants: [{ name: 'c', type: 'uint8', shape: [2], bytes: Uint8Array.of(7, 8) }],
    nodes: [
      {
        operator: 'Op',
        inputs: ['x'],
        outputs: ['y'],
        attributes: { i: { int: 1 }, f: { float: 1 }, l: { ints: [2, 3] }, t: { text: 'a' } },
      },
    ],
  })
  /** A field of known length, in hexadecimal. */
  const message = (tag: string, ...fields: string[]) =>
    tag + (fields.join('').length / 2).toString(16).padStart(2, '0') + fields.join('')
  const attributes = [
    message('2a', message('0a', '69'), '1801', 'a00102'),
    message('2a', message('0a', '66'), '150000803f', 'a00101'),
    message('2a', message('0a', '6c'), '4002', '4003', 'a00107'),
    message('2a', message('0a', '74'), message('22', '61'), 'a00103'),
  ]
  const node = message('0a', message('0a', '78'), message('12', '79'), message('22', '4f70'), ...attributes)
  const constant = message('2a', '0802', '1002', message('42', '63'), message('4a', '0708'))
  const shape = message('12', message('0a', message('12', '6e')), message('0a', '0804'))
  const input = message('5a', message('0a', '78'), message('12', message('0a', '0801', shape)))
  const graph = message('3a', node, message('12', '70726f6772616d'), constant, input)
  expect(Buffer.from(model).toString('hex')).toBe('080a' + graph + message('42', message('0a'), '101a'))
})
