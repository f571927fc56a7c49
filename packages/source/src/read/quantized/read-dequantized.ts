import type { DequantizedSource } from '../../tensor-source.ts'
import type { ElementReader, ReadElements } from '../elements/element-reader.ts'
import { fillFloats } from '../elements/float-view.ts'
import type { CodeTables } from './code-table.ts'
import { createBlockScaler } from './scale-blocks.ts'
import { createGroupScaler } from './scale-groups.ts'
import { createTableScaler, hasFewCodes } from './scale-tables.ts'

/** Creates the reader of codes times scales. */
export function createDequantizedReader(elements: ElementReader, tableOf: CodeTables): ReadElements<DequantizedSource> {
  const readScaled = createTableScaler(elements, tableOf)
  const scaleBlocks = createBlockScaler(elements)
  const scaleGroups = createGroupScaler(elements)
  return (source, start, _count, into) => {
    const isScaledByTable = hasFewCodes(source)
    const scale = source.groups === undefined && source.blockColumns > 1 ? scaleBlocks : scaleGroups
    fillFloats({ dtype: source.dtype, into, scratch: elements.scratch }, (from, values) => {
      if (isScaledByTable) return readScaled(source, start + from, values)
      elements.readFloats(source.source, start + from, values)
      scale(source, start + from, values)
    })
  }
}
