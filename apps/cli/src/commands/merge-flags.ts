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
  readonly methodModule?: readonly string[]
  readonly cuda?: boolean
  readonly device?: string
  readonly quiet?: boolean
  readonly verbose: number
}

/** Adds the options of every merge to a command, mergekit's among them that change nothing here. */
export function addMergeFlags(command: Command): Command {
  command
    .option('--dry-run', 'print the plan (tensors, bytes, what each parameter resolves to) and write nothing')
    .option('--json', 'print results, plans and lists as JSON')
    .option('--explain-tokens', 'print what was decided for each token of the output vocabulary, and write nothing')
    .addOption(
      new Option('--out-format <name>', 'what to write, whatever the recipe says').choices(['safetensors', 'gguf']),
    )
    .option('--out-dtype <name>', 'what tensors are stored as, such as bfloat16; in a GGUF also q8_0 and q4_0')
    .option('--gguf-pre <name>', "llama.cpp's name of the way in which text is split, where it isn't recognized")
    .option('--out-shard-size <size>', 'largest size of an output file, such as 5B (billion bytes) or 500MB', size, 5e9)
    .option('-j, --threads <count>', 'worker threads', positiveInteger, availableParallelism())
    .option('--random-seed <number>', 'key of the random masks', wholeNumber, 0)
    .option('--no-copy-tokenizer', 'leave out the tokenizer files')
    .option('--no-write-model-card', 'leave out README.md')
    .option('--overwrite', 'replace an output that is there; what no merge has written is left alone')
    .option('--strict', 'fail where a tensor, or one it is made of, has NaN or infinite values')
    .option(
      '--allow-crimes',
      'merge models of different architectures as far as their tensors fit, and cut the rows of tokens that the chat template writes',
    )
    .option('--lenient', 'ignore unknown keys and parameters of the recipe, as mergekit does, with a warning for each')
    .option('--allow-code', 'run the JavaScript module that the recipe names as its method (never under --dry-run)')
    .option('--transformers-cache <folder>', 'where downloaded models are kept')
    .option(
      '--method-module <file>',
      'load merge methods from a JavaScript module (may be repeated)',
      (file, files: string[] = []) => [...files, file],
    )
    .option('--cuda', 'do the arithmetic on an NVIDIA GPU: the same as --device cuda')
    .option('--device <name>', `where the arithmetic is done: ${alternatives(devices.map(({ name }) => name))}`)
    .option('-q, --quiet', 'print nothing but the result and errors')
    .option('-v, --verbose', 'say more', (_, level: number) => level + 1, 0)
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
