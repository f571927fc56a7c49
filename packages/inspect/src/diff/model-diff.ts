import type { Difference } from '../measure/describe-difference.ts'
import type { TensorPlace } from './pair-tensors.ts'

/** What a comparison comes to. */
export interface Verdict {
  /**
   * `identical`: the same tensors with the same elements; `equal`: the same elements as far as both have them; `rounding`: apart by no
   * more than the rounding of the coarser dtype; `close`: as fine-tunes of one model are; `apart`: much changed; `unrelated`: no more
   * alike than models that were trained apart.
   */
  readonly kind: 'identical' | 'equal' | 'rounding' | 'close' | 'apart' | 'unrelated'
  /** The verdict in a sentence, and what a person should see first. */
  readonly text: string
  readonly notes: readonly string[]
}

/** One tensor of a comparison. */
export interface TensorDiff extends TensorPlace {
  readonly name: string
  /** Whether it was compared, or why not. */
  readonly state: 'compared' | 'only-a' | 'only-b' | 'other-shape'
  readonly shape: { readonly a?: readonly number[]; readonly b?: readonly number[]; readonly base?: readonly number[] }
  /** As they are read: what is quantized, as what it stands for. */
  readonly dtype: { readonly a?: string; readonly b?: string; readonly base?: string }
  readonly difference?: Difference
}

/** What a comparison found. */
export interface ModelDiff {
  readonly models: { readonly a: string; readonly b: string; readonly base?: string }
  readonly verdict: Verdict
  /** All tensors that were compared as one vector. */
  readonly total: Difference
  /** In the order of A, then those that B alone has. */
  readonly tensors: readonly TensorDiff[]
  /** By module, layer and kind. */
  readonly cells: readonly DiffCell[]
  /** By module and kind, all layers together. */
  readonly kinds: readonly DiffCell[]
}

/** The tensors of one kind, in one layer or in all of them, as one vector. */
export interface DiffCell extends TensorPlace {
  readonly difference: Difference
}
