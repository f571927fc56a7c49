import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { idleFlagNotes, ignoredFlagNotes } from './ignored-flags.ts'
import { addMergeFlags, type MergeFlags } from './merge-flags.ts'

function parse(...args: string[]): { flags: MergeFlags; notes: string[] } {
  const command = addMergeFlags(new Command('test'))
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
  command.parse(args, { from: 'user' })
  return { flags: command.opts(), notes: ignoredFlagNotes(command) }
}

describe('merge flags', () => {
  it('have defaults', () => {
    const { flags, notes } = parse()
    expect(flags).toMatchObject({
      randomSeed: 0,
      copyTokenizer: true,
      writeModelCard: true,
      verbose: 0,
    })
    expect(flags.threads).toBeGreaterThan(0)
    expect(flags.outShardSize).toBeUndefined()
    expect(notes).toEqual([])
  })

  it('are read', () => {
    const { flags } = parse(
      ...'--dry-run --json --explain-tokens --out-shard-size 500MB --threads 3 --random-seed 7 --no-copy-tokenizer --no-write-model-card --overwrite --allow-crimes --allow-code --lenient --transformers-cache c --method-module a.mjs --method-module b.mjs --cuda --device gpu -q -v -v'.split(
        ' ',
      ),
    )
    expect(flags).toMatchObject({
      dryRun: true,
      json: true,
      explainTokens: true,
      outShardSize: 5e8,
      threads: 3,
      randomSeed: 7,
      copyTokenizer: false,
      writeModelCard: false,
      overwrite: true,
      allowCrimes: true,
      allowCode: true,
      lenient: true,
      transformersCache: 'c',
      methodModule: ['a.mjs', 'b.mjs'],
      cuda: true,
      device: 'gpu',
      quiet: true,
      verbose: 2,
    })
  })

  it('take --num-threads for --threads, as mergekit has it', () => {
    expect(parse('--num-threads', '3').flags.threads).toBe(3)
    expect(parse('-j', '3').flags.threads).toBe(3)
  })

  it.each([
    ['--lazy-unpickle'],
    ['--low-cpu-memory'],
    ['--clone-tensors'],
    ['--trust-remote-code'],
    ['--read-to-gpu'],
    ['--multi-gpu'],
    ['--gpu-rich'],
    ['--async-write'],
    ['--write-threads', '4'],
    ['--lora-merge-cache', 'x'],
    ['--lora-merge-dtype', 'float16'],
    ['--no-safe-serialization'],
  ])('%s is accepted with a note that it has no effect', (...args) => {
    expect(parse(...args).notes).toEqual([expect.stringMatching(new RegExp(`^${args[0]} has no effect: .`))])
  })

  it.each([
    '--no-lazy-unpickle',
    '--no-low-cpu-memory',
    '--no-clone-tensors',
    '--no-trust-remote-code',
    '--no-read-to-gpu',
    '--no-multi-gpu',
    '--no-async-write',
    '--no-cuda',
    '--no-allow-crimes',
    '--no-quiet',
    '--copy-tokenizer',
    '--write-model-card',
  ])('%s is accepted and says what is so anyhow', (flag) => {
    const { flags, notes } = parse(flag)
    expect(notes).toEqual([])
    expect({
      ...flags,
      cuda: flags.cuda || undefined,
      allowCrimes: flags.allowCrimes || undefined,
      quiet: flags.quiet || undefined,
    }).toMatchObject(parse().flags)
  })

  it.each([
    [['--threads', '0'], 'Expected a whole number from 1 to 1024.'],
    [['--threads', '2.5'], 'Expected a whole number'],
    [['--num-threads', 'x'], 'Expected a whole number'],
    [['--random-seed', '-1'], 'Expected a whole number, 0 or more.'],
    [['--out-shard-size', 'big'], 'Expected a size such as 5B, 500MB or 2GiB.'],
    [['--out-shard-size', '0'], 'Expected a size'],
    [['--device'], 'argument missing'],
    [['--dry-runs'], `unknown option '--dry-runs'`],
  ])('%j is refused', (args, message) => {
    expect(() => parse(...args)).toThrow(message)
  })
})

it('tells of flags that mean nothing for the format of the output', () => {
  const notes = (format: 'gguf' | 'safetensors', given: string) => idleFlagNotes(format, (flag) => flag === given)
  expect(notes('gguf', 'outShardSize')).toEqual([expect.stringMatching(/^--out-shard-size has no effect: ./)])
  expect(notes('safetensors', 'ggufPre')).toEqual([expect.stringMatching(/^--gguf-pre has no effect: ./)])
  expect([...notes('safetensors', 'outShardSize'), ...notes('gguf', 'ggufPre')]).toEqual([])
})
