import type { Option } from 'commander'
import { sharedOptions } from '../commands/shared-options.ts'

/** What every command that reads models and writes none has. */
export interface InspectionFlags {
  readonly threads: number
  readonly methodModule?: readonly string[]
  readonly refresh?: boolean
  readonly transformersCache?: string
  readonly json?: boolean
  readonly quiet?: boolean
  readonly verbose: number
}

/** The options of such a command, in the order of the help. @param settings `threads`: false of one that reads in its own thread */
export const inspectionOptions = (json: string, { threads = true } = {}): readonly Option[] => [
  sharedOptions.refresh(),
  sharedOptions.transformersCache(),
  ...(threads ? [sharedOptions.threads()] : []),
  sharedOptions.json(json),
  sharedOptions.quiet(),
  sharedOptions.verbose('say more, such as a line for each tensor'),
]
