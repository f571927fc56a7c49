import { availableParallelism } from 'node:os'
import { rename, rm, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { Command, CommanderError, Option } from 'commander'
import { endParsing } from '../commands/end-parsing.ts'
import { type MergeFlags, positiveInteger } from '../commands/merge-flags.ts'
import { CommandError } from '../errors/command-error.ts'
import { exitStatus } from '../errors/exit-status.ts'

interface ConvertFlags {
  readonly type?: keyof typeof dtypes
  readonly name?: string
  readonly pre?: string
  readonly like?: string
  readonly threads: number
  readonly overwrite?: boolean
  readonly strict?: boolean
  readonly dryRun?: boolean
  readonly json?: boolean
  readonly transformersCache?: string
  readonly quiet?: boolean
  readonly verbose: number
}

/** llama.cpp's names of types → those of recipes. */
const dtypes = { f32: 'float32', f16: 'float16', bf16: 'bfloat16', q8_0: 'q8_0', q4_0: 'q4_0' } as const

/** Runs `mk-gguf convert`, which writes one model as a GGUF: a merge of it alone. @returns the exit status */
export async function ggufConvert(args: readonly string[]): Promise<number> {
  const command = declareCommand()
  try {
    command.parse(args, { from: 'user' })
    if (command.args.length < 2 && !command.opts<ConvertFlags>().dryRun)
      command.error("error: missing required argument 'out.gguf'")
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return await endParsing(error, args)
  }
  const flags = command.opts<ConvertFlags>()
  const [model, out] = command.args as [string, string | undefined]
  try {
    if (!flags.dryRun) await checkFile(out!, flags)
    return await convert(model, out, flags)
  } catch (error) {
    const [{ statusOf }, { reportError }] = await Promise.all([
      import('../errors/describe-error.ts'),
      import('../errors/report-error.ts'),
    ])
    const status = statusOf(error)
    reportError(error, { flags, status })
    return status
  }
}

function declareCommand(): Command {
  const command = new Command('mk-gguf convert')
    .description('Write a model folder, or one of the hub, as a GGUF for llama.cpp.')
    .argument('<model>', 'a folder, or org/name at the hub; model+adapter with a LoRA laid over it')
    .argument('[out.gguf]', 'the file to write')
    .addOption(
      new Option('--type <name>', 'what matrices are stored as; as they are, if absent').choices(Object.keys(dtypes)),
    )
    .option('--name <text>', "the model's name in the file; that of the file, if absent")
    .option('--pre <name>', "llama.cpp's name of the way in which text is split, where it isn't recognized")
    .option('--like <file>', 'a GGUF of a model like it: gives the tokenizer, and all else for families without a map')
    .option('-j, --threads <count>', 'worker threads', positiveInteger, availableParallelism())
    .option('--overwrite', 'replace a file that is there')
    .option('--strict', 'fail where a tensor has NaN or infinite values')
    .option('--dry-run', 'print the plan and write nothing')
    .option('--json', 'print the result, or the plan, as JSON')
    .option('--transformers-cache <folder>', 'where downloaded models are kept')
    .option('-q, --quiet', 'print nothing but the result and errors')
    .option('-v, --verbose', 'say more', (_, level: number) => level + 1, 0)
    .exitOverride()
    .showSuggestionAfterError()
    .helpOption('-h, --help', 'print this help')
  return command.showHelpAfterError(
    `usage: mk-gguf convert ${command.usage()}\n(mk-gguf convert --help lists the options)`,
  )
}

/** @throws CommandError `gguf-out` where there is something that must not be replaced. */
async function checkFile(out: string, { overwrite, like }: ConvertFlags): Promise<void> {
  if (!out.endsWith('.gguf'))
    throw new CommandError({ code: 'gguf-out', out, problem: 'its name does not end in .gguf' })
  const stats = await stat(out).catch(() => undefined)
  if (stats === undefined) return
  if (!stats.isFile())
    throw new CommandError({ code: 'gguf-out', out, problem: 'there is something else of that name' })
  if (overwrite !== true)
    throw new CommandError({ code: 'gguf-out', out, problem: 'it is there already; --overwrite replaces it' })
  const donor = like === undefined ? undefined : await stat(like).catch(() => undefined)
  if (donor !== undefined && donor.dev === stats.dev && donor.ino === stats.ino)
    throw new CommandError({ code: 'gguf-out', out, problem: 'it is the file of --like' })
}

/** Merges into a folder beside the file, so that an interrupted conversion goes on, and moves the file out of it. */
async function convert(model: string, out: string | undefined, flags: ConvertFlags): Promise<number> {
  const [{ executeMerge }, { createOwnCode }] = await Promise.all([
    import('../commands/execute-merge.ts'),
    import('../commands/own-code.ts'),
  ])
  const folder = out === undefined ? undefined : `${out}.folder`
  const recipe = {
    text: JSON.stringify({ merge_method: 'passthrough', models: [{ model }] }),
    file: 'mk-gguf convert',
    isGenerated: true,
    out: folder,
    modelName: flags.name ?? basename(out ?? resolve(model), '.gguf'),
    shownOut: out ?? 'model.gguf',
  }
  const call = { flags: mergeFlagsOf(flags), operands: [], isGiven: () => false, ownCode: createOwnCode() }
  const status = await executeMerge(recipe, call, [])
  if (status !== exitStatus.success || folder === undefined || flags.dryRun === true) return status
  await rename(join(folder, 'model.gguf'), out!)
  await rm(folder, { recursive: true })
  return status
}

function mergeFlagsOf({ type, pre, like, ...flags }: ConvertFlags): MergeFlags {
  return {
    ...flags,
    outFormat: 'gguf',
    ...(type !== undefined && { outDtype: dtypes[type] }),
    ...(pre !== undefined && { ggufPre: pre }),
    ...(like !== undefined && { ggufLike: like }),
    outShardSize: 5e9,
    randomSeed: 0,
    copyTokenizer: true,
    writeModelCard: false,
    // What is left of a conversion that was interrupted is this command's own.
    overwrite: true,
  }
}
