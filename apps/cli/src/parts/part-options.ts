import { type Command, InvalidArgumentError, type Option } from 'commander'
import type { HubOptions } from '@mk/checkpoint'
import type { MappedPath, PartNumber } from '@mk/merge/parts'
import type { MergeFlags } from '../commands/merge-flags.ts'
import { groupedOption } from '../commands/shared-options.ts'

/** The options of a merge that is carried out in parts. */
export interface PartFlags extends MergeFlags {
  readonly plan?: string
  readonly part?: PartNumber
  readonly finish?: boolean
  readonly mapPath?: readonly MappedPath[]
}

/** Adds the options of merges in parts to a command. */
export const addPartOptions = (command: Command): Command =>
  command
    .addOption(
      groupedOption(
        'parts',
        '--plan-out <file>',
        'write the plan of the merge instead, for --plan; OUT names the model',
      ),
    )
    .addOption(
      groupedOption('parts', '--plan <file>', 'merge by a plan instead of a recipe: OUT is then the only argument'),
    )
    .addOption(groupedOption('parts', '--part <n/of>', 'make one part of the plan, such as 3/16').argParser(partNumber))
    .addOption(groupedOption('parts', '--finish', 'when all parts are made: complete the output, and give it its name'))
    .addOption(mapPathOption())
    .addOption(streamInputsOption())

/** Makes the option that says where inputs are seen from here; its value is a list of `MappedPath`. */
export const mapPathOption = (
  summary = 'where a folder of inputs is seen from here, if not where the plan has it',
): Option =>
  groupedOption('parts', '--map-path <from=to>', `${summary} (may be repeated)`).argParser(
    (text: string, known: readonly MappedPath[] = []) => [...known, mappedPath(text)],
  )

/** Makes the option that leaves models at the hub. */
export const streamInputsOption = (): Option =>
  groupedOption(
    'parts',
    '--stream-inputs',
    'leave models at the hub: fetch the bytes of a few tensors at a time, and delete them when those are done',
  )

/** How the hub is reached where inputs are read there. */
export const hubOf = ({ transformersCache }: MergeFlags, signal: AbortSignal): HubOptions => ({
  signal,
  ...(transformersCache !== undefined && { transformersCache }),
})

function partNumber(text: string): PartNumber {
  const [, part, of] = /^(\d{1,9})\/(\d{1,9})$/.exec(text)?.map(Number) ?? []
  if (part === undefined || of === undefined || part < 1 || part > of)
    throw new InvalidArgumentError('Expected a part and the number of parts, from 1/16 to 16/16.')
  return { part, of }
}

function mappedPath(text: string): MappedPath {
  const [from, to] = text.split(/=(.*)/s)
  if (!from || !to) throw new InvalidArgumentError('Expected two paths, such as /data/models=/mnt/models.')
  return { from, to }
}
