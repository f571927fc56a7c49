import { counted, quoted, shortened } from '@mk/errors'
import type { GgufHeader, GgufValue } from '@mk/gguf'
import { formatBytes } from '../print/sizes.ts'

/** What `mk-gguf info` tells of a file. */
export interface GgufInfo extends GgufHeader {
  readonly file: string
  readonly fileBytes: number
}

/** Formats the header for a person: what the file is, its metadata, its tensors. */
export function formatInfo(info: GgufInfo): string {
  const keys = [...info.metadata.keys()]
  const width = Math.min(44, Math.max(0, ...keys.map((key) => key.length)))
  const nameWidth = Math.max(0, ...info.tensors.map(({ name }) => name.length))
  return [
    `${shortened(info.file)}: ${summary(info)}`,
    '',
    ...[...info.metadata].map(([key, value]) => `${shortened(key).padEnd(width)}  ${formatValue(value)}`),
    '',
    ...info.tensors.map(
      ({ name, type, shape }) => `${shortened(name).padEnd(nameWidth)}  ${type.padEnd(5)} ${shape.join(' × ')}`,
    ),
    '',
  ].join('\n')
}

function summary({ version, metadata, tensors, fileBytes }: GgufInfo): string {
  const architecture = metadata.get('general.architecture')
  const elements = tensors.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0)
  const bytesOf = new Map<string, number>()
  for (const { type, byteStart, byteEnd } of tensors) bytesOf.set(type, (bytesOf.get(type) ?? 0) + byteEnd - byteStart)
  const types = [...bytesOf].toSorted(([, a], [, b]) => b - a).map(([type, bytes]) => `${type} ${formatBytes(bytes)}`)
  return [
    `GGUF ${version}`,
    ...(architecture?.type === 'string' ? [shortened(architecture.value)] : []),
    `${counted(tensors.length, 'tensor')} of ${counted(elements, 'element')}`,
    `${formatBytes(fileBytes)}${types.length === 0 ? '' : ` (${types.join(', ')})`}`,
  ].join(', ')
}

const shownElements = 6

function formatValue(value: GgufValue): string {
  if (value.type === 'string') return quoted(value.value)
  if (value.type === 'float32') return String(Number(value.value.toPrecision(7)))
  if (value.type !== 'array') return String(value.value)
  const first = Array.from({ length: Math.min(shownElements, value.values.length) }, (_, index) => {
    const element = value.values[index]
    return typeof element === 'object' ? '[…]' : typeof element === 'string' ? quoted(element, 40) : String(element)
  })
  const more = value.values.length > shownElements ? ', …' : ''
  return `${value.values.length} × ${value.elementType}: ${first.join(', ')}${more}`
}

/** Formats the header as JSON, which has a version of its own: metadata with whole arrays, integers that JavaScript can't hold as text. */
export function formatInfoJson({
  file,
  version: ggufVersion,
  alignment,
  fileBytes,
  metadata,
  tensors,
}: GgufInfo): string {
  const plain = (_: string, value: unknown): unknown => {
    if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
    return ArrayBuffer.isView(value) ? Array.from(value as Float32Array) : value
  }
  return `${JSON.stringify({ version: 1, file, ggufVersion, alignment, fileBytes, metadata: Object.fromEntries(metadata), tensors }, plain, 2)}\n`
}
