import type { WebFolder } from '@mk/merge/browser'

/** What the page asks of the engine; each request has one answer. */
export type EngineRequest =
  | { readonly kind: 'add'; readonly files: readonly (readonly [path: string, file: File])[] }
  | { readonly kind: 'remove'; readonly model: string }
  | ({ readonly kind: 'inspect'; readonly model: string } & HubAddress)
  | ({ readonly kind: 'check' } & MergeRequest)
  | ({ readonly kind: 'merge'; readonly threads: number; readonly folder: WebFolder | undefined } & MergeRequest)

export interface HubAddress {
  readonly endpoint: string
  readonly token: string
}

export interface MergeRequest extends HubAddress {
  readonly recipe: string
  readonly name: string
  readonly seed: number
}

/** A tensor as the page shows it. */
export interface TensorFacts {
  readonly name: string
  readonly shape: readonly number[]
  readonly dtype: string
  readonly byteCount: number
}

export interface ModelFacts {
  readonly tensors: readonly TensorFacts[]
  readonly architecture: string | undefined
  readonly notes: readonly string[]
}

export interface PlanFacts {
  readonly tensorCount: number
  readonly byteCount: number
  readonly files: readonly string[]
  readonly notes: readonly string[]
}

export interface MergeFacts extends PlanFacts {
  readonly seconds: number
}

export interface Progress {
  readonly writtenBytes: number
  readonly totalBytes: number
}

export type EngineAnswer =
  | { readonly kind: 'done'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string; readonly code: string | undefined }
  | { readonly kind: 'progress'; readonly progress: Progress }
