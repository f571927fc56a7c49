// In CI property tests try the same values every time: a change is judged by what it changes. Elsewhere they look further.
import { configureGlobal } from 'fast-check'

if (process.env.CI) configureGlobal({ seed: 1 })
