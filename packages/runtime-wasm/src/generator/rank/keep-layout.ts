/** Magnitudes are ordered as integers, and so is what isn't a number: it is larger than infinity. */
export const NOT_A_NUMBER = 0x7f800001

/** The words after the address of the masks, of what is known of the magnitudes of rows before. */
export const windowAt = {
  /** The place of the first counter. */
  first: 4,
  /** How many there are, without that of zeros; 0: not known. */
  count: 8,
  /** Whether the row has to be gone through again, with counters that were chosen after it. */
  again: 12,
} as const

/** Limits that leading 16 bits can be compared with. */
export const LARGEST_LIMIT = 1 - 2 ** -16
