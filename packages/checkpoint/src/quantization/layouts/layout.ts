import type { Dtype } from '@mk/safetensors'
import type { DequantizedSource, FileSource, StridedSource, TensorSource } from '@mk/source'
import type { ModelConfig } from '../config-quantization.ts'

/** How a program lays quantized weights down in tensors. */
export interface Layout {
  /** Finds the module that a tensor is a part of; undefined for what has nothing to do with the layout. */
  stemOf(name: string, source: TensorSource): string | undefined
  /**
   * Makes the weights of a module out of its parts. Of those only the few bytes are read that have what headers don't.
   * @throws CheckpointError `quantized-…`
   */
  open(parts: Parts): OpenedWeights | Promise<OpenedWeights>
}

export interface OpenedWeights {
  readonly name: string
  readonly source: DequantizedSource
}

/** Elements as they are stored. */
export type StoredSource = FileSource | StridedSource

/** What must hold of a part. */
export interface Expectation {
  readonly dtypes: readonly Dtype[]
  /** Undefined where a size may be any but 0. */
  readonly shape?: readonly (number | undefined)[]
}

/** The tensors of one quantized module. Those that were asked for are no tensors of the model any more. */
export interface Parts {
  readonly stem: string
  /** What config.json says of quantization. */
  readonly settings: ModelConfig
  /** Gives a part by the end of its name; undefined where it isn't there. @throws `quantized-part` */
  find(ending: string, expected: Expectation): StoredSource | undefined
  /** @throws `quantized-part-missing`, `quantized-part` */
  need(ending: string, expected: Expectation): StoredSource
  /** Tells the dtype of a part; undefined where it isn't there. */
  dtypeOf(ending: string): Dtype | undefined
  /** Reads all bytes of a part, which has few. @throws `quantized-part` for more than 64 KiB */
  peek(ending: string): Promise<Uint8Array>
  /** Throws `quantized-part` for a part that is there. */
  misfit(ending: string, expected: string): never
  /** Throws `quantized-setting`. */
  unfit(setting: string, found: unknown, expected: string): never
}

export const scaleDtypes: readonly Dtype[] = ['F16', 'BF16', 'F32']
export const wordDtypes: readonly Dtype[] = ['I32', 'U32']
