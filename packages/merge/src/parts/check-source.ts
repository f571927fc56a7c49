import { dtypeBytes, elementCount } from '@mk/safetensors'
import type { GatherSource, MergedSource, TensorSource } from '@mk/source'

type Shaped = Pick<TensorSource, 'shape'>

/** What refuses a source, and what it may refer to. */
export interface SourceChecks {
  /** Finds the tensor of another merge; undefined where there is none. */
  readonly findMerged: (source: MergedSource) => Shaped | undefined
  readonly refuse: (problem: string) => never
}

/** Checks that the parts of a source fit each other, as readers take for granted. */
export function checkSource(source: TensorSource, checks: SourceChecks): void {
  const { refuse, findMerged } = checks
  const expect = (fits: boolean, problem: string) => {
    if (!fits) refuse(`a source of kind ${source.kind}: ${problem}`)
  }
  const visit = (part: TensorSource) => checkSource(part, checks)
  const { shape } = source
  expect(Number.isSafeInteger(elementCount(shape) * 8), 'it is larger than any tensor')
  switch (source.kind) {
    case 'file':
    case 'blocks':
      return
    case 'strided':
      return expect(source.strides.length === shape.length, 'it has not one stride for each dimension')
    case 'crop':
      expect(
        source.source.shape.length === shape.length &&
          shape.every((size, dimension) => size <= source.source.shape[dimension]!),
        'it is larger than what it is cut from',
      )
      expect(source.dtype === source.source.dtype, 'its dtype is not that of what it is cut from')
      return visit(source.source)
    case 'halves':
      expect(
        isSameShape(source, source.source) && shape[0]! % (2 * source.heads) === 0,
        'its rows are no halves of heads',
      )
      return visit(source.source)
    case 'lora':
      expect(isSameShape(source, source.source), 'its shape is not that of the weights')
      return [source.source, source.a, source.b].forEach(visit)
    case 'gather':
      checkGather(source, expect)
      return source.sources.forEach(visit)
    case 'packed':
      visit(source.words)
      if (source.values.kind === 'stored') visit(source.values.table)
      return
    case 'dequantized':
      expect(elementCount(source.source.shape) === elementCount(shape), 'it has not as many elements as its codes')
      for (const part of [source.source, source.scale, source.groups, source.zero, source.bias])
        if (typeof part === 'object') visit(part)
      return
    case 'merged': {
      const found = findMerged(source)
      return expect(found !== undefined && isSameShape(source, found), 'no merge before it has such a tensor')
    }
    case 'values': {
      const { base64 = '', dtype } = source
      return expect(
        atob(base64).length === elementCount(shape) * dtypeBytes(dtype),
        'it has not as many bytes as elements',
      )
    }
    default:
      source satisfies never
  }
}

const isSameShape = (a: Shaped, b: Shaped): boolean => a.shape.join() === b.shape.join()

function checkGather(
  { shape, sources, segments }: GatherSource,
  expect: (fits: boolean, problem: string) => void,
): void {
  const columns = elementCount(shape.slice(1))
  const hasRows = (source: number, row: number, rowCount: number): boolean => {
    const of = sources[source]
    return of !== undefined && elementCount(of.shape.slice(1)) === columns && row + rowCount <= (of.shape[0] ?? 0)
  }
  let rows = 0
  for (const segment of segments) {
    rows += segment.rowCount
    if (segment.kind === 'copy') expect(hasRows(segment.source, segment.row, segment.rowCount), 'a source lacks a row')
    if (segment.kind === 'mean')
      expect(
        segment.of.every(({ source, row }) => hasRows(source, row, 1)),
        'a source lacks a row',
      )
  }
  expect(rows === (shape[0] ?? 0), 'its parts have not as many rows as it')
}
