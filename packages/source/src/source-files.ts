import type { DequantizedSource, PackedSource, TensorSource } from './tensor-source.ts'

/** Lists the distinct files that sources read, in order of first use. */
export function sourceFiles(sources: Iterable<TensorSource>): string[] {
  const files = new Set<string>()
  for (const source of sources) visit(source, files)
  return [...files]
}

function visit(source: TensorSource, files: Set<string>): void {
  switch (source.kind) {
    case 'file':
    case 'strided':
    case 'blocks':
      files.add(source.file)
      return
    case 'values':
      return
    case 'crop':
    case 'halves':
      return visit(source.source, files)
    case 'gather':
      return source.sources.forEach((part) => visit(part, files))
    case 'lora':
      return [source.source, source.a, source.b].forEach((part) => visit(part, files))
    case 'packed':
    case 'dequantized':
      return partsOf(source).forEach((part) => visit(part, files))
    default:
      return source satisfies never
  }
}

function partsOf(source: PackedSource | DequantizedSource): readonly TensorSource[] {
  if (source.kind === 'packed')
    return source.values.kind === 'stored' ? [source.words, source.values.table] : [source.words]
  return [source.source, source.scale, source.groups, source.zero, source.bias].filter(
    (part) => typeof part === 'object',
  )
}
