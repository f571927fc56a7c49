import {
  type Attribute,
  type ElementType,
  encodeModel,
  type Model,
  type ModelConstant,
  type ModelNode,
  type ModelTensor,
} from '../onnx/model.ts'

/** The first version with BitCast. */
export const OPSET = 26

/** A value in the graph: one for each element, each row, each column, or a single one. It broadcasts along the others. */
export interface Value {
  readonly name: string
  readonly perRow: boolean
  readonly perColumn: boolean
}

export interface Graph {
  input(name: string, type: ElementType, shape: readonly (number | string)[]): Value
  output(name: string, type: ElementType, shape: readonly (number | string)[], value: Value): void
  /** One number that broadcasts. */
  number(type: 'float32' | 'float64' | 'int32', value: number): Value
  table(type: 'float32' | 'float64', values: readonly number[]): Value
  integers(values: readonly number[]): Value
  /** The only output of a node whose inputs broadcast. */
  node(operator: string, inputs: readonly Value[], attributes?: Readonly<Record<string, Attribute>>): Value
  nodes(
    operator: string,
    inputs: readonly Value[],
    outputCount: number,
    attributes?: Readonly<Record<string, Attribute>>,
  ): Value[]
  /** The value for each element. */
  full(value: Value): Value
  /** An upper bound of what the values of one element take in memory. */
  bytesPerElement(): number
  encode(): Uint8Array
}

const arrays = { float32: Float32Array, float64: Float64Array, int32: Int32Array, int64: BigInt64Array }

/** Makes an empty graph over elements in rows and columns; the names of those sizes are 'rows' and 'columns'. */
export function createGraph(): Graph {
  const inputs = new Map<string, ModelTensor>()
  const outputs: ModelTensor[] = []
  const constants = new Map<string, ModelConstant>()
  const nodes: ModelNode[] = []
  let elementBytes = 0

  const single = (name: string): Value => ({ name, perRow: false, perColumn: false })
  const constant = (type: keyof typeof arrays, values: readonly number[]): Value => {
    const name = `${type} ${values.map((value) => (Object.is(value, -0) ? '-0' : String(value))).join()}`
    const array = type === 'int64' ? BigInt64Array.from(values, BigInt) : arrays[type].from(values)
    if (!constants.has(name))
      constants.set(name, { name, type, shape: [values.length], bytes: new Uint8Array(array.buffer) })
    return single(name)
  }
  const graph: Graph = {
    input(name, type, shape) {
      inputs.set(name, { name, type, shape })
      return { name, perRow: shape.includes('rows'), perColumn: shape.includes('columns') }
    },
    output(name, type, shape, value) {
      nodes.push({ operator: 'Identity', inputs: [value.name], outputs: [name], attributes: {} })
      outputs.push({ name, type, shape })
    },
    number: (type, value) => constant(type, [value]),
    table: (type, values) => constant(type, values),
    integers: (values) => constant('int64', values),
    node: (operator, operands, attributes) => graph.nodes(operator, operands, 1, attributes)[0]!,
    nodes(operator, operands, outputCount, attributes = {}) {
      const names = Array.from({ length: outputCount }, (_, index) => `${nodes.length}.${index}`)
      nodes.push({ operator, inputs: operands.map(({ name }) => name), outputs: names, attributes })
      const spread = {
        perRow: operands.some(({ perRow }) => perRow),
        perColumn: operands.some(({ perColumn }) => perColumn),
      }
      if (spread.perRow && spread.perColumn) elementBytes += 8 * outputCount
      return names.map((name) => ({ name, ...spread }))
    },
    full(value) {
      if (value.perRow && value.perColumn) return value
      const shape = graph.input('shape', 'int64', [2])
      return { ...graph.node('Expand', [value, shape]), perRow: true, perColumn: true }
    },
    bytesPerElement: () => elementBytes,
    encode: () =>
      encodeModel({
        opset: OPSET,
        inputs: [...inputs.values()],
        outputs,
        constants: [...constants.values()],
        nodes,
      } satisfies Model),
  }
  return graph
}
