import { bytesField, type Field, floatField, integerField, join, messageField, stringField } from './protobuf.ts'

/** ONNX's numbers for the types of elements (TensorProto.DataType). */
export const elementTypes = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
  float8e4m3fn: 17,
  float8e5m2: 19,
} as const
export type ElementType = keyof typeof elementTypes

export interface ModelNode {
  readonly operator: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: Readonly<Record<string, Attribute>>
}

/** `int` and `float` are told apart by ONNX, not by JavaScript. */
export type Attribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly ints: readonly number[] }
  | { readonly text: string }

export interface ModelTensor {
  readonly name: string
  readonly type: ElementType
  /** A name where the size may be another one in each run. */
  readonly shape: readonly (number | string)[]
}

export interface ModelConstant extends ModelTensor {
  readonly shape: readonly number[]
  /** Little-endian. */
  readonly bytes: Uint8Array
}

export interface Model {
  readonly opset: number
  readonly inputs: readonly ModelTensor[]
  readonly outputs: readonly ModelTensor[]
  readonly constants: readonly ModelConstant[]
  readonly nodes: readonly ModelNode[]
}

/** The lowest version of the format that has the element types above. */
const IR_VERSION = 10

/** Encodes an ONNX model, by the field numbers of onnx.proto3 (github.com/onnx/onnx). */
export function encodeModel({ opset, inputs, outputs, constants, nodes }: Model): Uint8Array {
  const graph = [
    ...nodes.map((node) => messageField(1, nodeFields(node))),
    stringField(2, 'program'),
    ...constants.map((constant) => messageField(5, constantFields(constant))),
    ...inputs.map((tensor) => messageField(11, tensorFields(tensor))),
    ...outputs.map((tensor) => messageField(12, tensorFields(tensor))),
  ]
  return join([
    integerField(1, IR_VERSION),
    messageField(7, graph),
    messageField(8, [stringField(1, ''), integerField(2, opset)]),
  ])
}

const nodeFields = ({ operator, inputs, outputs, attributes }: ModelNode): Field[] => [
  ...inputs.map((name) => stringField(1, name)),
  ...outputs.map((name) => stringField(2, name)),
  stringField(4, operator),
  ...Object.entries(attributes).map(([name, attribute]) =>
    messageField(5, [stringField(1, name), ...attributeFields(attribute)]),
  ),
]

function attributeFields(attribute: Attribute): Field[] {
  if ('int' in attribute) return [integerField(3, attribute.int), integerField(20, 2)]
  if ('float' in attribute) return [floatField(2, attribute.float), integerField(20, 1)]
  if ('ints' in attribute) return [...attribute.ints.map((value) => integerField(8, value)), integerField(20, 7)]
  return [stringField(4, attribute.text), integerField(20, 3)]
}

const constantFields = ({ name, type, shape, bytes }: ModelConstant): Field[] => [
  ...shape.map((size) => integerField(1, size)),
  integerField(2, elementTypes[type]),
  stringField(8, name),
  bytesField(9, bytes),
]

function tensorFields({ name, type, shape }: ModelTensor): Field[] {
  const sizes = shape.map((size) =>
    messageField(1, [typeof size === 'number' ? integerField(1, size) : stringField(2, size)]),
  )
  return [
    stringField(1, name),
    messageField(2, [messageField(1, [integerField(1, elementTypes[type]), messageField(2, sizes)])]),
  ]
}
