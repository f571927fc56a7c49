import type { OutFormat } from '@mk/config'
import { type Command, Option } from 'commander'

/** mergekit's flags that change nothing here, and why. */
const ignored: readonly (readonly [flags: string, why: string])[] = [
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
  ['--safe-serialization', 'the output is never a pickle'],
]

/** The negations of mergekit's switches: they ask for what is the default, or for what holds in any case. */
const negated = [
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

/** Adds the flags of mergekit that change nothing, hidden from the help. */
export function addIgnoredFlags(command: Command): Command {
  for (const flags of [...ignored.map(([flag]) => flag), ...negated]) command.addOption(new Option(flags).hideHelp())
  return command
}

/** Makes a line for each given flag that asks for something and changes nothing. */
export function ignoredFlagNotes(command: Command): string[] {
  return ignored.flatMap(([flags, why]) => {
    const name = flags.split(' ')[0]!
    const attribute = command.options.find(({ long }) => long === name)!.attributeName()
    if (command.getOptionValueSource(attribute) !== 'cli') return []
    if (command.getOptionValue(attribute) !== false) return [`${name} has no effect: ${why}`]
    return name === '--safe-serialization' ? [`--no-safe-serialization has no effect: ${why}`] : []
  })
}

/** Makes a line for each given flag that means nothing for an output of this format. */
export function idleFlagNotes(
  format: OutFormat | undefined,
  isGiven: (flag: 'outShardSize' | 'ggufPre') => boolean,
): string[] {
  if (format === 'gguf')
    return isGiven('outShardSize') ? ['--out-shard-size has no effect: a GGUF is written as one file'] : []
  if (format === 'lora' && isGiven('outShardSize'))
    return ['--out-shard-size has no effect: an adapter is written as one file']
  return isGiven('ggufPre') ? ['--gguf-pre has no effect: the output is no GGUF'] : []
}
