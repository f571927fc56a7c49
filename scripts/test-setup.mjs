import { configureGlobal } from 'fast-check'
import { afterAll, vi } from 'vitest'

// In CI property tests try the same values every time: a change is judged by what it changes. Elsewhere they look further.
if (process.env.CI) configureGlobal({ seed: 1 })

// What a file watches or replaces is not the next one's.
afterAll(() => {
  vi.restoreAllMocks()
})
