/** Starts a thread with the flags of the process, but for those that no thread may be given. */
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
