import type { HubOptions, HubSettings } from '../hub/hub-settings.ts'
import { readRetryAfter } from '../hub/passing-failures.ts'
import { pause } from '../hub/pause.ts'

/** What the client says to a fetch that can tell how far it has come. */
interface ProgressHint {
  readonly progressCallback: (share: number) => void
  readonly part?: number
  readonly numParts?: number
}

const attempts = 5
const longestWaitMs = 60_000

/**
 * Makes the `fetch` of an upload: it sends the token to the hub's endpoint alone, whatever address it is given; asks again after what may
 * pass; and tells which parts of a file have arrived.
 */
export function createUploadFetch(
  settings: HubSettings,
  { retryDelayMs = 500, signal: given }: Pick<HubOptions, 'retryDelayMs' | 'signal'>,
): typeof fetch {
  const partsDone = new WeakMap<ProgressHint['progressCallback'], number>()
  return async (input, init = {}) => {
    const url = input instanceof Request ? input.url : String(input)
    const headers = new Headers(init.headers)
    // The client knows no token, and says so; what it sends to a storage is from that storage.
    if (headers.get('authorization') === 'Bearer undefined') headers.delete('authorization')
    for (const [name, value] of Object.entries({ ...settings.headers, ...settings.authorize(url) }))
      headers.set(name, value)
    const signal = init.signal ?? given ?? new AbortController().signal
    for (let attempt = 1; ; attempt++) {
      const isLast = attempt === attempts
      let waitMs = retryDelayMs * 2 ** (attempt - 1)
      try {
        const response = await settings.fetch(input, { ...init, headers, signal })
        if (isLast || !(response.status === 429 || response.status >= 500)) {
          if (response.ok) noteProgress(init as { readonly progressHint?: ProgressHint }, partsDone)
          return response
        }
        waitMs = Math.min(readRetryAfter(response.headers) ?? waitMs, longestWaitMs)
        await response.body?.cancel()
      } catch (error) {
        if (isLast || signal.aborted) throw error
      }
      await pause(waitMs, signal)
    }
  }
}

function noteProgress(
  { progressHint }: { readonly progressHint?: ProgressHint },
  partsDone: WeakMap<ProgressHint['progressCallback'], number>,
): void {
  if (progressHint === undefined) return
  const { progressCallback, numParts = 1 } = progressHint
  const done = (partsDone.get(progressCallback) ?? 0) + 1
  partsDone.set(progressCallback, done)
  progressCallback(done / numParts)
}
