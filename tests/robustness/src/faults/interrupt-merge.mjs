/**
 * Interrupts a merge while it writes. A signal that comes when the last tensors are on their way comes too late: then it is tried again, earlier.
 * @param {{ clear(): void, merge(fault: string): Promise<unknown>, hasEnded(): boolean }} of clears what a merge that has ended left, merges
 * with a fault, and tells whether it has ended
 * @returns whether it was interrupted
 */
export async function interruptMerge({ clear, merge, hasEnded }) {
  for (const write of [20, 15, 10, 5]) {
    await merge(`write:${write}:interrupt`)
    if (!hasEnded()) return true
    clear()
  }
  return false
}
