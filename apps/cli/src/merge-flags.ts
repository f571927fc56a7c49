import { availableParallelism } from 'node:os'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { parseSize } from './sizes.ts'

/** The options that every command which merges has. */
export interface MergeFlags {
  readonly dryRun?: boolean
  readonly json?: boolean
  readonly explainTokens?: boolean
  readonly outShardSize: number
  readonly threads: number
  readonly randomSeed: number
  readonly copyTokenizer: boolean
  readonly writeModelCard: boolean
  readonly overwrite?: boolean
  readonly allowCrimes?: boolean
  readonly transformersCache?: string
  readonly methodModule?: readonly string[]
  readonly cuda?: boolean
  readonly device?: string
  readonly quiet?: boolean
  readonly verbose: number
}

/** mergekit's flags that have nothing to do here, and why. */
const needless: readonly (readonly [flags: string, why: string])[] = [
  ['--lazy-unpickle', 'pickles are always read lazily'],
  ['--low-cpu-memory', 'memory is always bounded'],
  ['--clone-tensors', 'no tensor is shared between outputs'],
  ['--trust-remote-code', 'no code from a model repository is ever run'],
  ['--read-to-gpu', 'inputs stream through main memory in small chunks'],
  ['--multi-gpu', 'one device is used'],
  ['--gpu-rich', 'it stands for flags that have no meaning here; --cuda does the arithmetic on the GPU'],
  ['--async-write', 'every worker writes while others compute'],
  ['--write-threads <count>', 'every worker writes; see --threads'],
  ['--lora-merge-cache <folder>', 'adapters are applied while reading, nothing is stored'],
  ['--lora-merge-dtype <dtype>', 'adapters are applied in float32'],
  ['--safe-serialization', 'the output is always safetensors'],
]

/** The other way round of mergekit's switches; most say what is so anyhow. */
const outside = [
  '--copy-tokenizer',
  '--write-model-card',
  '--no-cuda',
  '--no-allow-crimes',
  '--no-quiet',
  '--no-safe-serialization',
  '--no-lazy-unpickle',
  '--no-low-cpu-memory',
  '--no-clone-tensors',
  '--no-trust-remote-code',
  '--no-read-to-gpu',
  '--no-multi-gpu',
  '--no-async-write',
]

export function addMergeFlags(command: Command): Command {
  command
    .option('--dry-run', 'print the plan (tensors, bytes, what each parameter resolves to) and write nothing')
    .option('--json', 'print results, plans and lists as JSON')
    .option('--explain-tokens', 'print what was decided for each token of the output vocabulary, and write nothing')
    .option('--out-shard-size <size>', 'largest size of an output file, such as 5B (billion bytes) or 500MB', size, 5e9)
    .option('-j, --threads <count>', 'worker threads', positiveInteger, availableParallelism())
    .option('--random-seed <number>', 'key of the random masks', wholeNumber, 0)
    .option('--no-copy-tokenizer', 'leave out the tokenizer files')
    .option('--no-write-model-card', 'leave out README.md')
    .option('--overwrite', 'replace an output folder that has files in it')
    .option('--allow-crimes', 'merge models of different architectures as far as their tensors fit')
    .option('--transformers-cache <folder>', 'where downloaded models are kept')
    .option(
      '--method-module <file>',
      'load merge methods from a JavaScript module (may be repeated)',
      (file, files: string[] = []) => [...files, file],
    )
    .option('--cuda', 'do the arithmetic on an NVIDIA GPU: the same as --device cuda')
    .option('--device <name>', 'where the arithmetic is done: wasm, reference, cuda, onnx-cpu or gpu')
    .option('-q, --quiet', 'print nothing but the result and errors')
    .option('-v, --verbose', 'say more', (_, level: number) => level + 1, 0)
  command.addOption(new Option('--num-threads <count>').argParser(positiveInteger).hideHelp())
  command.on('option:num-threads', (count: string) => command.setOptionValueWithSource('threads', Number(count), 'cli'))
  for (const [flags] of needless) command.addOption(new Option(flags).hideHelp())
  for (const flag of outside) command.addOption(new Option(flag).hideHelp())
  return command
}

/** @returns a line for each given flag that changes nothing here. */
export function needlessFlagNotes(command: Command): string[] {
  return needless.flatMap(([flags, why]) => {
    const name = flags.split(' ')[0]!
    const option = command.options.find(({ long }) => long === name)!
    const value =
      command.getOptionValueSource(option.attributeName()) === 'cli'
        ? command.getOptionValue(option.attributeName())
        : undefined
    if (value === undefined) return []
    if (value === false) return name === '--safe-serialization' ? [`--no-safe-serialization has no effect: ${why}`] : []
    return [`${name} has no effect: ${why}`]
  })
}

function size(text: string): number {
  const bytes = parseSize(text)
  if (bytes === undefined) throw new InvalidArgumentError('Expected a size such as 5B, 500MB or 2GiB.')
  return bytes
}

function positiveInteger(text: string): number {
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
