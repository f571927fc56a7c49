import type { ConfigNode } from './config-tree.ts'
import { describeNode, readText } from './decoding.ts'
import type { Decoding } from './decoding.ts'
import type { ConfigPath, DtypeName, OutDtypeName } from './merge-config.ts'
import { nearest } from '@mk/errors'
import { blockTypeNames, dtypeNames } from './schema/shapes.ts'

/** Names of other tools: not accepted, so that a recipe that works here works in mergekit, but understood. */
const elsewhere = new Map<string, OutDtypeName>([
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
  ['q8', 'q8_0'],
  ['int8', 'q8_0'],
  ['q4', 'q4_0'],
])

/** Decodes a dtype by torch's name, with or without `torch.` before it. */
export const decodeDtype = (decoding: Decoding, node: ConfigNode, path: ConfigPath): DtypeName | undefined =>
  decodeName(decoding, node, path, dtypeNames)

/** Decodes what an output's tensors are stored as: a dtype, or a type that only a GGUF has. */
export const decodeOutDtype = (decoding: Decoding, node: ConfigNode, path: ConfigPath): OutDtypeName | undefined =>
  decodeName(decoding, node, path, outDtypeNames)

/** What `out_dtype` may be. */
export const outDtypeNames: readonly OutDtypeName[] = [...dtypeNames, ...blockTypeNames]

function decodeName<T extends OutDtypeName>(
  decoding: Decoding,
  node: ConfigNode,
  path: ConfigPath,
  names: readonly T[],
): T | undefined {
  const expected = names.join(', ')
  const text = readText(decoding, node, path, `one of ${expected}`)
  if (text === undefined) return undefined
  const name = text.replace(/^torch\./, '')
  const known = names.find((dtype) => dtype === name)
  if (known !== undefined) return known
  const guess = nearestDtype(name, names)
  return decoding.report(node.position, path, {
    code: 'wrong-value',
    found: describeNode(node),
    expected: `one of ${expected}`,
    ...(guess !== undefined && { nearest: guess }),
  })
}

/** Finds what a name that is none was meant to be. */
export const nearestDtype = (name: string, names: readonly OutDtypeName[] = outDtypeNames): string | undefined =>
  names.find((known) => known === elsewhere.get(name.toLowerCase())) ?? nearest(name, names)
