import { availableParallelism } from 'node:os'
import { InvalidArgumentError, Option } from 'commander'
import { devices } from '../runtimes/device-table.ts'

/** Headings of the help, in the order in which options are declared. */
export const groups = {
  ask: 'Instead of merging:',
  output: 'The output:',
  recipe: 'The recipe and its models:',
  hub: 'The hub:',
  parts: 'In parts, on several machines:',
  device: 'Where the work is done:',
  general: 'What is printed:',
} as const

/** Makes an option that stands in a group of the help. */
export const groupedOption = (group: keyof typeof groups, flags: string, summary: string): Option =>
  new Option(flags, summary).helpGroup(groups[group])

/** The options that commands share, each made anew, in the group of the help that it belongs to. */
export const sharedOptions = {
  dryRun: (summary = 'print the plan and write nothing'): Option => groupedOption('ask', '--dry-run', summary),
  overwrite: (summary: string): Option => groupedOption('output', '--overwrite', summary),
  strict: (summary: string): Option => groupedOption('recipe', '--strict', summary),
  refresh: (): Option =>
    groupedOption('hub', '--refresh', 'ask the hub whether branches have moved, also where the cache is complete'),
  transformersCache: (): Option =>
    groupedOption('hub', '--transformers-cache <folder>', 'where downloaded models are kept'),
  threads: (): Option =>
    groupedOption('device', '-j, --threads <count>', 'worker threads')
      .argParser(positiveInteger)
      .default(availableParallelism(), 'one for each core'),
  device: (): Option =>
    groupedOption(
      'device',
      '--device <name>',
      `where the arithmetic is done: ${alternatives(deviceNames)}; gpu:MODE takes one of its back ends`,
    ),
  json: (summary: string): Option => groupedOption('general', '--json', summary),
  quiet: (): Option => groupedOption('general', '-q, --quiet', 'print nothing but the result and errors'),
  verbose: (summary: string): Option =>
    groupedOption('general', '-v, --verbose', summary)
      .argParser((_, level: number) => level + 1)
      .default(0, ''),
} as const

/** What `--device` takes. */
export const deviceNames: readonly string[] = devices.map(({ name }) => name)

const alternatives = (names: readonly string[]) => `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`

/** Parses a count of the command line. @throws InvalidArgumentError */
export function positiveInteger(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > 1024)
    throw new InvalidArgumentError('Expected a whole number from 1 to 1024.')
  return value
}
