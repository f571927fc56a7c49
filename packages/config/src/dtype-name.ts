import type { ConfigNode } from './config-tree.ts'
import { describeNode, readText } from './decoding.ts'
import type { Decoding } from './decoding.ts'
import type { ConfigPath, DtypeName } from './merge-config.ts'
import { nearest } from '@mk/errors'
import { dtypeNames } from './schema/shapes.ts'

/** Names of other tools: not accepted, so that a recipe that works here works in mergekit, but understood. */
const elsewhere = new Map<string, DtypeName>([
  ['double', 'float64'],
  ['fp64', 'float64'],
  ['f64', 'float64'],
  ['float', 'float32'],
  ['fp32', 'float32'],
  ['f32', 'float32'],
  ['half', 'float16'],
  ['fp16', 'float16'],
  ['f16', 'float16'],
  ['bf16', 'bfloat16'],
  ['fp8', 'float8_e4m3fn'],
  ['float8', 'float8_e4m3fn'],
  ['f8_e4m3', 'float8_e4m3fn'],
  ['f8_e5m2', 'float8_e5m2'],
])

/** Decodes a dtype by torch's name, with or without `torch.` before it. */
export function decodeDtype(decoding: Decoding, node: ConfigNode, path: ConfigPath): DtypeName | undefined {
  const expected = dtypeNames.join(', ')
  const text = readText(decoding, node, path, `one of ${expected}`)
  if (text === undefined) return undefined
  const name = text.replace(/^torch\./, '')
  const known = dtypeNames.find((dtype) => dtype === name)
  if (known !== undefined) return known
  const guess = elsewhere.get(name.toLowerCase()) ?? nearest(name, dtypeNames)
  return decoding.report(node.position, path, {
    code: 'wrong-value',
    found: describeNode(node),
    expected: `one of ${expected}`,
    ...(guess !== undefined && { nearest: guess }),
  })
}
