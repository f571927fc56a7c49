import { availableParallelism } from 'node:os'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { parseSize } from '../print/sizes.ts'
import { devices } from '../runtimes/device-table.ts'
import { addIgnoredFlags } from './ignored-flags.ts'

/** The options that every command which merges has. */
export interface MergeFlags {
  readonly dryRun?: boolean
  readonly json?: boolean
  readonly explainTokens?: boolean
  readonly outFormat?: 'safetensors' | 'gguf'
  readonly outDtype?: string
  readonly ggufPre?: string
  readonly ggufLike?: string
  readonly outShardSize: number
  readonly threads: number
  readonly randomSeed: number
  readonly copyTokenizer: boolean
  readonly writeModelCard: boolean
  readonly overwrite?: boolean
  readonly strict?: boolean
  readonly allowCrimes?: boolean
  readonly allowCode?: boolean
  readonly lenient?: boolean
  readonly transformersCache?: string
  readonly refresh?: boolean
  readonly completion?: string
  readonly methodModule?: readonly string[]
  readonly cuda?: boolean
  readonly device?: string
  readonly quiet?: boolean
  readonly verbose: number
}

/** Headings of the help, in the order in which options are declared. */
export const groups = {
  ask: 'Instead of merging:',
  output: 'The output:',
  recipe: 'The recipe and its models:',
  hub: 'The hub:',
  device: 'Where the work is done:',
  general: 'What is printed:',
} as const

/** Adds the options of every merge to a command, mergekit's among them that change nothing here. */
export function addMergeFlags(command: Command): Command {
  const add = (heading: string, option: Option) => command.addOption(option.helpGroup(heading))
  const flag = (heading: string, flags: string, summary: string) => add(heading, new Option(flags, summary))
  const { ask, output, recipe, hub, device, general } = groups
  flag(ask, '--dry-run', 'print the plan (what is made of what, with which parameters) and write nothing')
  flag(ask, '--explain-tokens', 'print what was decided for each token of the output vocabulary')
  flag(ask, '--completion <shell>', 'print a script that completes arguments in bash, zsh or fish')
  add(
    output,
    new Option('--out-format <name>', 'what to write, whatever the recipe says').choices(['safetensors', 'gguf']),
  )
  flag(output, '--out-dtype <name>', 'what tensors are stored as, such as bfloat16; in a GGUF also q8_0 and q4_0')
  flag(output, '--gguf-pre <name>', "llama.cpp's name of the way in which text is split, where it isn't recognized")
  flag(
    output,
    '--gguf-like <file>',
    'a GGUF of a model like the output: gives the tokenizer, and all else for families without a map',
  )
  add(
    output,
    new Option('--out-shard-size <size>', 'largest size of a file, such as 5B (billion bytes) or 500MB')
      .argParser(size)
      .default(5e9, '5B'),
  )
  flag(output, '--overwrite', 'replace an output that is there; what no merge has written is left alone')
  flag(output, '--no-copy-tokenizer', 'leave out the tokenizer files')
  flag(output, '--no-write-model-card', 'leave out README.md')
  add(recipe, new Option('--random-seed <number>', 'key of the random masks').argParser(wholeNumber).default(0))
  flag(recipe, '--strict', 'fail where a tensor, or one it is made of, has NaN or infinite values')
  flag(
    recipe,
    '--allow-crimes',
    'merge models of different architectures as far as their tensors fit, cut the rows of tokens that the chat template writes, and stack layers that no loader could read',
  )
  flag(recipe, '--lenient', 'ignore unknown keys and parameters, as mergekit does, with a warning for each')
  add(
    recipe,
    new Option('--method-module <file>', 'load merge methods from a JavaScript module (may be repeated)').argParser(
      (file: string, files: string[] = []) => [...files, file],
    ),
  )
  flag(recipe, '--allow-code', 'run the JavaScript module that the recipe names as its method (never under --dry-run)')
  flag(hub, '--refresh', 'ask the hub whether branches have moved, also where the cache is complete')
  flag(hub, '--transformers-cache <folder>', 'where downloaded models are kept')
  add(
    device,
    new Option('-j, --threads <count>', 'worker threads')
      .argParser(positiveInteger)
      .default(availableParallelism(), 'one for each core'),
  )
  flag(
    device,
    '--device <name>',
    `where the arithmetic is done: ${alternatives(devices.map(({ name }) => name))}; gpu:MODE takes one back end of gpu.js`,
  )
  flag(device, '--cuda', 'the same as --device cuda')
  flag(general, '--json', 'print results, plans, lists and errors as JSON')
  flag(general, '-q, --quiet', 'print nothing but the result and errors')
  add(
    general,
    new Option('-v, --verbose', 'print all: every warning, every tensor of a plan, errors with their stack')
      .argParser((_, level: number) => level + 1)
      .default(0, ''),
  )
  command.addOption(new Option('--num-threads <count>').argParser(positiveInteger).hideHelp())
  command.on('option:num-threads', (count: string) => command.setOptionValueWithSource('threads', Number(count), 'cli'))
  return addIgnoredFlags(command)
}

/** Tells whether the flags ask for a plan only: then there need be no output folder. */
export const isPlanOnly = (flags: MergeFlags): boolean => flags.dryRun === true || flags.explainTokens === true

const alternatives = (names: readonly string[]) => `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`

function size(text: string): number {
  const bytes = parseSize(text)
  if (bytes === undefined) throw new InvalidArgumentError('Expected a size such as 5B, 500MB or 2GiB.')
  return bytes
}

/** Parses a count of the command line. @throws InvalidArgumentError */
export function positiveInteger(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > 1024)
    throw new InvalidArgumentError('Expected a whole number from 1 to 1024.')
  return value
}

function wholeNumber(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('Expected a whole number, 0 or more.')
  return value
}
