import type { TensorSource } from '../tensor-source.ts'
import type { GatherRows } from './gather-rows.ts'
import type { LoraFactors } from './lora-factors.ts'
import type { OpenFiles } from './open-files.ts'
import type { Scratch } from './scratch.ts'

/** What the readers of the kinds of source share. */
export interface ReadContext {
  readonly files: OpenFiles
  readonly scratch: Scratch
  readonly gatherRows: GatherRows
  readonly loraFactors: LoraFactors
  /** Reads a source that another one is made of; `into` has exactly the bytes of `elementCount` elements. */
  read(source: TensorSource, elementStart: number, elementCount: number, into: Uint8Array): void
}
