import { type Command, InvalidArgumentError, Option } from 'commander'
import { parseSize } from '../print/sizes.ts'
import { addIgnoredFlags } from './ignored-flags.ts'
import type { OptionValues } from './run-command.ts'
import { deviceNames, groupedOption, groups, positiveInteger, sharedOptions } from './shared-options.ts'

/** The options that every command which merges has. */
export interface MergeFlags {
  readonly dryRun?: boolean
  readonly json?: boolean
  readonly explainTokens?: boolean
  readonly outFormat?: 'safetensors' | 'gguf' | 'lora'
  readonly rank?: number
  readonly outDtype?: string
  readonly ggufPre?: string
  readonly ggufLike?: string
  readonly outShardSize?: number
  readonly threads: number
  readonly randomSeed: number
  readonly copyTokenizer: boolean
  readonly writeModelCard: boolean
  readonly checksums?: boolean
  readonly overwrite?: boolean
  /** Of commands whose merges can be carried out in parts. */
  readonly planOut?: string
  readonly streamInputs?: boolean
  readonly strict?: boolean
  readonly roundIntermediates?: boolean
  readonly keepIntermediates?: string
  /** Of mergekit-multi: false writes intermediates also where they are there. */
  readonly lazy?: boolean
  readonly allowCrimes?: boolean
  readonly allowCode?: boolean
  readonly lenient?: boolean
  readonly transformersCache?: string
  readonly refresh?: boolean
  readonly push?: string
  readonly private?: boolean
  readonly methodModule?: readonly string[]
  readonly cuda?: boolean
  readonly device?: string
  readonly quiet?: boolean
  readonly verbose: number
}

/** Adds the options of every merge to a command, mergekit's among them that change nothing here. */
export function addMergeFlags(command: Command): Command {
  const add = (heading: string, option: Option) => command.addOption(option.helpGroup(heading))
  const flag = (heading: string, flags: string, summary: string) => add(heading, new Option(flags, summary))
  const { ask, output, recipe, device } = groups
  command.addOption(
    sharedOptions.dryRun('print the plan (what is made of what, with which parameters) and write nothing'),
  )
  flag(ask, '--explain-tokens', 'print what was decided for each token of the output vocabulary')
  add(
    output,
    new Option('--out-format <name>', 'what to write, whatever the recipe says').choices([
      'safetensors',
      'gguf',
      'lora',
    ]),
  )
  add(
    output,
    new Option('--rank <number>', 'of an adapter (--out-format lora): the most ranks of a module').argParser(rank),
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
    new Option(
      '--out-shard-size <size>',
      'largest size of a file, such as 500MB (default: 5B, billion bytes; a model taken as it is keeps its files)',
    ).argParser(size),
  )
  command.addOption(sharedOptions.overwrite('replace an output that is there; what no merge has written is left alone'))
  flag(output, '--no-copy-tokenizer', 'leave out the tokenizer files')
  flag(output, '--no-write-model-card', 'leave out README.md')
  flag(output, '--no-checksums', 'leave the SHA-256 of each file of weights out of README.md')
  flag(
    recipe,
    '--round-intermediates',
    'of several merges in the recipe: round what one gives another to the dtype that it would be written in',
  )
  flag(
    output,
    '--keep-intermediates <folder>',
    'of several merges in the recipe: write the named ones, too, as folders in this one',
  )
  add(recipe, new Option('--random-seed <number>', 'key of the random masks').argParser(wholeNumber).default(0))
  command.addOption(sharedOptions.strict('fail where a tensor, or one it is made of, has NaN or infinite values'))
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
  for (const shared of [
    sharedOptions.refresh(),
    sharedOptions.transformersCache(),
    groupedOption(
      'hub',
      '--push <org/name>',
      'upload the output when it is written (mk-push uploads one that is there)',
    ),
    groupedOption('hub', '--private', 'with --push: a repository that has to be made is private'),
    sharedOptions.threads(),
    sharedOptions.device(),
  ])
    command.addOption(shared)
  flag(device, '--cuda', 'the same as --device cuda')
  for (const shared of [
    sharedOptions.json('print results, plans, lists and errors as JSON'),
    sharedOptions.quiet(),
    sharedOptions.verbose('print all: every warning, every tensor of a plan, errors with their stack'),
  ])
    command.addOption(shared)
  command.addOption(new Option('--num-threads <count>').argParser(positiveInteger).hideHelp())
  command.on('option:num-threads', (count: string) => command.setOptionValueWithSource('threads', Number(count), 'cli'))
  return addIgnoredFlags(command)
}

/** What the options of merges may have as values. */
export async function mergeFlagValues(): Promise<OptionValues> {
  const { builtinMethods, outDtypeNames } = await import('./list-methods.ts')
  const methods = [...builtinMethods.keys()]
  return { '--device': deviceNames, '--out-dtype': outDtypeNames, '--list-methods': methods, '--method': methods }
}

/** Tells whether the flags ask for a plan only: then there need be no output folder. */
export const isPlanOnly = (flags: MergeFlags): boolean => flags.dryRun === true || flags.explainTokens === true

function size(text: string): number {
  const bytes = parseSize(text)
  if (bytes === undefined) throw new InvalidArgumentError('Expected a size such as 5B, 500MB or 2GiB.')
  return bytes
}

function rank(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('Expected a whole number from 1.')
  return value
}

function wholeNumber(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('Expected a whole number, 0 or more.')
  return value
}
