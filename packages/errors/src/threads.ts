/**
 * Starts a thread of Node with the flags of the process, but for those that no thread may be given, which would be an error.
 * @param start makes the thread: it is given what to add to the options of the thread, and called again with less where it throws
 */
export function withProcessFlags<T>(start: (flags: { readonly execArgv?: string[] }) => T): T {
  // Those of the process are a thread's, too, but for one of the main script.
  const forThreads = process.execArgv.filter((flag) => !flag.startsWith('--input-type'))
  if (forThreads.length === process.execArgv.length) return start({})
  try {
    return start({ execArgv: forThreads })
  } catch {
    // Flags of the engine are refused there, and hold for all threads anyway.
    return start({ execArgv: [] })
  }
}
