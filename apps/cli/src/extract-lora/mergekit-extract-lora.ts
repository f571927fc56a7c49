import { type Command, InvalidArgumentError, Option } from 'commander'
import { addIgnoredFlags, ignoredFlagNotes } from '../commands/ignored-flags.ts'
import { type CommandDefinition, runCommand } from '../commands/run-command.ts'
import { groupedOption, groups, sharedOptions } from '../commands/shared-options.ts'

export interface ExtractFlags {
  readonly model: string
  readonly baseModel: string
  readonly outPath?: string
  readonly maxRank: number
  readonly distributeScale: boolean
  readonly embedLora?: boolean
  readonly saveModule: readonly string[]
  readonly includeRegex: readonly string[]
  readonly excludeRegex: readonly string[]
  readonly svEpsilon: number
  readonly energy?: number
  readonly skipUndecomposable?: boolean
  readonly randomSeed: number
  readonly writeModelCard: boolean
  readonly overwrite?: boolean
  readonly strict?: boolean
  readonly dryRun?: boolean
  readonly threads: number
  readonly refresh?: boolean
  readonly transformersCache?: string
  readonly json?: boolean
  readonly quiet?: boolean
  readonly verbose: number
}

const number =
  (isRight: (value: number) => boolean, expected: string) =>
  (text: string): number => {
    const value = text.trim() === '' ? Number.NaN : Number(text)
    if (!isRight(value)) throw new InvalidArgumentError(`Expected ${expected}.`)
    return value
  }
const collect = (text: string, before: readonly string[]): string[] => [...before, text]

const modelOption = (flags: string, summary: string): Option =>
  groupedOption('recipe', flags, summary).makeOptionMandatory()
const repeated = (flags: string, summary: string): Option =>
  groupedOption('output', flags, summary).argParser(collect).default([], '')

function declareOptions(command: Command): void {
  for (const option of [
    sharedOptions.dryRun('print which modules would be decomposed or saved whole, and write nothing'),
    modelOption('--model <model>', 'the fine-tune: a folder, or org/name at the hub'),
    modelOption('--base-model <model>', 'the model that it was made from'),
    groupedOption('output', '--out-path <folder>', 'the folder to write; needed but with --dry-run'),
    groupedOption('output', '--max-rank <count>', 'the most ranks of a module')
      .argParser(number((value) => Number.isInteger(value) && value >= 1, 'a whole number from 1'))
      .default(128),
    groupedOption(
      'output',
      '--energy <share>',
      "as few ranks as hold this share of the difference's squared norm, such as 0.9",
    ).argParser(number((value) => value > 0 && value <= 1, 'a number above 0, at most 1')),
    groupedOption('output', '--sv-epsilon <value>', 'only singular values above it')
      .argParser(number((value) => value >= 0 && value < Infinity, 'a number from 0'))
      .default(0),
    groupedOption(
      'output',
      '--no-distribute-scale',
      'all of the singular values to A, not their roots to both factors',
    ),
    new Option('--distribute-scale').hideHelp(),
    groupedOption('output', '--embed-lora', 'decompose embeddings and heads, too, in place of saving them whole'),
    new Option('--no-embed-lora').hideHelp(),
    repeated('--save-module <name>', 'save a module whole, by full name or last component; may be repeated'),
    repeated('-i, --include-regex <pattern>', 'only modules whose names have a match; may be repeated'),
    repeated('-e, --exclude-regex <pattern>', 'no modules whose names have a match; may be repeated'),
    groupedOption(
      'output',
      '--skip-undecomposable',
      'leave out what has changed, but can not be decomposed, such as norms',
    ),
    groupedOption('output', '--random-seed <number>', 'of the random sketch')
      .argParser(number((value) => Number.isSafeInteger(value) && value >= 0, 'a whole number from 0'))
      .default(0),
    groupedOption('output', '--no-write-model-card', 'leave out README.md'),
    sharedOptions.overwrite('replace an adapter that is there'),
    sharedOptions.strict('fail where a tensor of the adapter has NaN or infinite values').helpGroup(groups.output),
    sharedOptions.refresh(),
    sharedOptions.transformersCache(),
    sharedOptions.threads(),
    sharedOptions.json('print the result, the plan or an error as JSON'),
    sharedOptions.quiet(),
    sharedOptions.verbose('say more'),
    new Option('--cuda').hideHelp(),
    new Option('--device <name>').hideHelp(),
    new Option('--allow-crimes').hideHelp(),
    new Option('--out-shard-size <size>').hideHelp(),
  ])
    command.addOption(option)
  addIgnoredFlags(command)
}

const definition: CommandDefinition<ExtractFlags> = {
  name: 'mergekit-extract-lora',
  summary: 'Write what a fine-tune changed in its base as a LoRA adapter, which PEFT loads.',
  operands: [],
  declareOptions,
  examples: [
    [
      'mergekit-extract-lora --model org/fine-tune --base-model org/base --out-path adapter --max-rank 32',
      'an adapter of rank 32',
    ],
    [
      'mergekit-extract-lora --model ./tuned --base-model ./base --out-path adapter --energy 0.9',
      'ranks as each module needs them for nine tenths of its change',
    ],
    ['mergekit-extract-lora --model ./tuned --base-model ./base --dry-run', 'see first which modules it would have'],
  ],
  statuses: [
    ['0', 'done'],
    ['1', 'it failed, and trying again may help'],
    ['2', 'command line, models or place of the output have to be mended first'],
    ['130, 143', 'ended by Ctrl-C or SIGTERM'],
  ],
  async act({ flags, command }) {
    const { extract } = await import('./extract.ts')
    return extract(flags, [...ignoredFlagNotes(command), ...otherNotes(command)])
  },
}

const idle: Readonly<Record<string, string>> = {
  cuda: '--cuda has no effect: an adapter is extracted by WebAssembly',
  device: '--device has no effect: an adapter is extracted by WebAssembly',
  outShardSize: '--out-shard-size has no effect: an adapter is one file',
}

const otherNotes = (command: Command): string[] =>
  Object.entries(idle).flatMap(([flag, note]) =>
    command.getOptionValueSource(flag) === 'cli' && command.getOptionValue(flag) !== false ? [note] : [],
  )

/** Runs `mergekit-extract-lora`. @returns the exit status */
export const mergekitExtractLora = (args: readonly string[]): Promise<number> => runCommand(definition, args)
