import { rename, rm, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { mergeStatuses } from '../commands/help.ts'
import type { MergeFlags } from '../commands/merge-flags.ts'
import { readModelArgument } from '../commands/model-argument.ts'
import type { CommandDefinition } from '../commands/run-command.ts'
import { groupedOption, groups, sharedOptions } from '../commands/shared-options.ts'
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

/** `mk-gguf convert`, which writes one model as a GGUF: a merge of it alone. */
export const convertCommand: CommandDefinition<ConvertFlags> = {
  name: 'mk-gguf convert',
  summary: 'Write a model folder, or one of the hub, as a GGUF for llama.cpp.',
  operands: [
    {
      name: 'model',
      summary: 'a folder, or org/name at the hub; model+adapter with a LoRA laid over it',
      isNeeded: () => true,
    },
    { name: 'out.gguf', summary: 'the file to write', isNeeded: ({ dryRun }) => dryRun !== true },
  ],
  declareOptions(command) {
    for (const option of [
      sharedOptions.dryRun(),
      groupedOption('output', '--type <name>', 'what matrices are stored as; as they are, if absent').choices(
        Object.keys(dtypes),
      ),
      groupedOption('output', '--name <text>', "the model's name in the file; that of the file, if absent"),
      groupedOption(
        'output',
        '--pre <name>',
        "llama.cpp's name of the way in which text is split, where it isn't recognized",
      ),
      groupedOption(
        'output',
        '--like <file>',
        'a GGUF of a model like it: gives the tokenizer, and all else for families without a map',
      ),
      sharedOptions.overwrite('replace a file that is there'),
      sharedOptions.strict('fail where a tensor has NaN or infinite values').helpGroup(groups.output),
      sharedOptions.transformersCache(),
      sharedOptions.threads(),
      sharedOptions.json('print the result, or the plan, as JSON'),
      sharedOptions.quiet(),
      sharedOptions.verbose('say more'),
    ])
      command.addOption(option)
  },
  examples: [
    ['mk-gguf convert ./merged merged.gguf --type q8_0', 'a folder as a file for llama.cpp'],
    ['mk-gguf convert org/name --dry-run', 'see first what would be fetched and written'],
  ],
  statuses: mergeStatuses,
  async act({ flags, operands: [model, out] }) {
    if (!flags.dryRun) await checkFile(out!, flags)
    return await convert(model!, out, flags)
  },
}

/** @throws CommandError `gguf-out` where there is something that must not be replaced. */
async function checkFile(out: string, flags: ConvertFlags): Promise<void> {
  const problem = await problemOf(out, flags)
  if (problem === undefined) return
  const { CommandError } = await import('../errors/command-error.ts')
  throw new CommandError({ code: 'gguf-out', out, problem })
}

async function problemOf(out: string, { overwrite, like }: ConvertFlags): Promise<string | undefined> {
  if (!out.endsWith('.gguf')) return 'its name does not end in .gguf'
  const stats = await stat(out).catch(() => undefined)
  if (stats === undefined) return undefined
  if (!stats.isFile()) return 'there is something else of that name'
  if (overwrite !== true) return 'it is there already; --overwrite replaces it'
  const donor = like === undefined ? undefined : await stat(like).catch(() => undefined)
  return donor?.dev === stats.dev && donor.ino === stats.ino ? 'it is the file of --like' : undefined
}

/** Merges into a folder beside the file, so that an interrupted conversion goes on, and moves the file out of it. */
async function convert(model: string, out: string | undefined, flags: ConvertFlags): Promise<number> {
  const [{ executeMerge }, { createOwnCode }, { threadFor }] = await Promise.all([
    import('../commands/execute-merge.ts'),
    import('../commands/own-code.ts'),
    import('../commands/thread-ahead.ts'),
  ])
  const folder = out === undefined ? undefined : `${out}.folder`
  const recipe = {
    text: JSON.stringify({
      merge_method: 'passthrough',
      models: [{ model: await readModelArgument(model) }],
    }),
    file: 'mk-gguf convert',
    isGenerated: true,
    out: folder,
    modelName: flags.name ?? basename(out ?? resolve(model), '.gguf'),
    shownOut: out ?? 'model.gguf',
  }
  const call = { flags: mergeFlagsOf(flags), operands: [], isGiven: () => false, ownCode: createOwnCode() }
  const status = await executeMerge(recipe, { ...call, ahead: threadFor(call.flags, recipe) }, [])
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
    randomSeed: 0,
    copyTokenizer: true,
    writeModelCard: false,
    // What is left of a conversion that was interrupted is this command's own.
    overwrite: true,
  }
}
