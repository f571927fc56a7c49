/** What the inputs and outputs of a graph are called. */
export const names = {
  scalars: 'scalars',
  /** Sizes of the matrix, for what is spread over it. */
  shape: 'shape',
  columnCount: 'columnCount',
  /** 0, 1, 2, … down the rows and along the columns. */
  rowNumbers: 'rowNumbers',
  columnNumbers: 'columnNumbers',
  /** What to add before and behind the elements so that their number is a multiple of 4. */
  tensorPads: 'tensorPads',
  rowPads: 'rowPads',
  input: (slot: number) => `input${slot}`,
  vector: (slot: number) => `vector${slot}`,
  uniform: (position: number) => `uniform${position}`,
  endRow: (position: number) => `endRow${position}`,
  endColumn: (position: number) => `endColumn${position}`,
  output: (index: number) => `output${index}`,
  /** Beside a minimum or maximum: 1 where there was a NaN. */
  hasNaN: (index: number) => `hasNaN${index}`,
} as const
