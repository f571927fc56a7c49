import type { MergedSource, TensorSource } from './tensor-source.ts'

/** Lists the distinct files that sources read, in order of first use; what a tensor of another merge reads is not among them. */
export function sourceFiles(sources: Iterable<TensorSource>): string[] {
  const files = new Set<string>()
  visitLeaves(sources, (leaf) => {
    if (leaf.kind !== 'merged') files.add(leaf.file)
  })
  return [...files]
}

/** Lists the distinct tensors of other merges that sources read, in order of first use. */
export function mergedSources(sources: Iterable<TensorSource>): MergedSource[] {
  const found = new Map<string, MergedSource>()
  visitLeaves(sources, (leaf) => {
    if (leaf.kind !== 'merged') return
    const key = JSON.stringify([leaf.stage, leaf.tensor])
    if (!found.has(key)) found.set(key, leaf)
  })
  return [...found.values()]
}

type Leaf = Extract<TensorSource, { readonly kind: 'file' | 'strided' | 'blocks' | 'merged' }>

function visitLeaves(sources: Iterable<TensorSource>, use: (leaf: Leaf) => void): void {
  for (const source of sources) visit(source, use)
}

function visit(source: TensorSource, use: (leaf: Leaf) => void): void {
  switch (source.kind) {
    case 'file':
    case 'strided':
    case 'blocks':
    case 'merged':
      return use(source)
    case 'values':
      return
    case 'crop':
    case 'halves':
      return visit(source.source, use)
    case 'gather':
      return visitLeaves(source.sources, use)
    case 'lora':
      return visitLeaves([source.source, source.a, source.b], use)
    case 'packed':
      visit(source.words, use)
      if (source.values.kind === 'stored') visit(source.values.table, use)
      return
    case 'dequantized':
      visit(source.source, use)
      for (const part of [source.scale, source.groups, source.zero, source.bias])
        if (typeof part === 'object') visit(part, use)
      return
    default:
      return source satisfies never
  }
}
