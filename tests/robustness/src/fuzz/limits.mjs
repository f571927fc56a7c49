/** What one input may take. */
export const limits = {
  ms: 5000,
  megabytes: 500,
  /** After so long without a word a child hangs. */
  silenceMs: 30_000,
  heapMegabytes: 1500,
}
