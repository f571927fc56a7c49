/** Parts of a file, one after the other in a buffer of `pieceBytes`, which calls of a task read. */
export interface FilePiece {
  readonly file: string
  /** Start and end of each part, in their order in the file. */
  readonly parts: readonly number[]
  /** The first call that reads some of it. */
  readonly call: number
}

/** What one message brings at most. */
export const pieceBytes = 2 ** 20

/** Of what lies between two parts of a file, as much is read and left out as costs no more than to begin anew. */
export const longestSkip = 2 ** 19

/** What a worker posts to be fed. */
export type FeedRequest =
  /** Pieces to be brought, in this order, in the place of those asked for before. */
  | { readonly kind: 'ask'; readonly ask: number; readonly pieces: readonly FilePiece[] }
  /** Buffers of pieces that were read, to be filled again. */
  | { readonly kind: 'spent'; readonly buffers: readonly ArrayBuffer[] }

/** The next piece of an ask; without a buffer where it could not be read. */
export interface FeedAnswer {
  readonly kind: 'piece'
  readonly ask: number
  readonly buffer?: ArrayBuffer
}
