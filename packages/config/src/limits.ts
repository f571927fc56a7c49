/** What a config may have at most; over a limit it is refused by the first step that would exceed it. */
export const limits = {
  /** A config is a page; one of hundreds of slices with their parameters has some 200 kB. */
  characters: 4 * 1024 * 1024,
  lines: 100_000,
  /** Words, marks, spaces and line ends: hundreds of slices have 30,000. The parser keeps some kilobytes for each. */
  lexemes: 150_000,
  /** One document with a value, and marks that hold nothing. */
  documents: 100,
  /** Those of YAML itself (`!!str`) are allowed, if never needed; the parser takes them in quadratic time. */
  tags: 1000,
  /** Counted with every alias expanded, so that a few lines of nested aliases can't fill the memory. */
  values: 200_000,
  /** The deepest config has some ten. */
  depth: 100,
} as const
