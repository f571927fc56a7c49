import type { FileStore } from './file-store.ts'

/** Gives a store that refuses every call once a signal has fired, with its reason: whatever reads from it ends at its next step. */
export function abortableFiles(store: FileStore, signal: AbortSignal): FileStore {
  const check =
    <Call extends readonly unknown[], Result>(run: (...call: Call) => Promise<Result>) =>
    async (...call: Call): Promise<Result> => {
      signal.throwIfAborted()
      return run(...call)
    }
  return {
    ...store,
    list: check((folder) => store.list(folder)),
    stat: check((path) => store.stat(path)),
    realPath: check((path) => store.realPath(path)),
    withFile: (path, use) =>
      check(() => store.withFile(path, (file) => use({ ...file, read: check((...range) => file.read(...range)) })))(),
  }
}

/** Runs what reads from such a store: whatever it makes of the refusal, the signal's reason is what is thrown. */
export async function untilAborted<T>(signal: AbortSignal | undefined, run: () => Promise<T>): Promise<T> {
  signal?.throwIfAborted()
  try {
    return await run()
  } finally {
    signal?.throwIfAborted()
  }
}
