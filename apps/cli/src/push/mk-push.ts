import { type CommandDefinition, runCommand } from '../commands/run-command.ts'
import { groupedOption, sharedOptions } from '../commands/shared-options.ts'
import { exitStatus } from '../errors/exit-status.ts'
import type { PushContext } from './push-output.ts'

interface PushFlags {
  readonly private?: boolean
  readonly pullRequest?: boolean
  readonly message?: string
  readonly dryRun?: boolean
  readonly json?: boolean
  readonly quiet?: boolean
  readonly verbose: number
}

const definition: CommandDefinition<PushFlags> = {
  name: 'mk-push',
  summary: 'Upload a merged model to the Hugging Face Hub, in one commit.',
  operands: [
    { name: 'out', summary: 'the folder that a merge has written', isNeeded: () => true },
    {
      name: 'org/name',
      summary: 'the repository; it is made if there is none',
      isNeeded: () => true,
    },
  ],
  declareOptions(command) {
    for (const option of [
      sharedOptions.dryRun('say what would be uploaded, and upload nothing'),
      groupedOption('hub', '--private', 'a repository that has to be made is private'),
      groupedOption('hub', '--pull-request', 'open a pull request instead of changing the branch main'),
      groupedOption('hub', '--message <text>', 'the title of the commit'),
      sharedOptions.json('print the result, or the error, as JSON'),
      sharedOptions.quiet(),
      sharedOptions.verbose('with an error, say where in the code it was noticed'),
    ])
      command.addOption(option)
  },
  examples: [
    ['mk-push merged org/name', 'upload the folder merged'],
    ['mk-push merged org/name --private', 'into a private repository, made if there is none'],
    ['mk-push merged org/name --dry-run', 'see first which files these are'],
  ],
  statuses: [
    ['0', 'done'],
    ['1', 'the upload failed, and trying again may help'],
    ['2', 'command line, folder, token or repository have to be mended first'],
    ['130, 143', 'ended by Ctrl-C or SIGTERM; the same command goes on with what is missing'],
  ],
  async act({ flags, operands: [folder, id] }) {
    const [{ createInterruption }, { createPrinter }] = await Promise.all([
      import('../commands/interruption.ts'),
      import('../commands/printer.ts'),
    ])
    const interruption = createInterruption()
    const print = createPrinter({ quiet: flags.quiet ?? false })
    interruption.listen()
    try {
      return await push({ folder: folder!, id: id!, flags }, { print, signal: interruption.signal })
    } catch (error) {
      if (!interruption.signal.aborted) throw error
      const [{ CommandError }, { reportError }] = await Promise.all([
        import('../errors/command-error.ts'),
        import('../errors/report-error.ts'),
      ])
      const interrupted = new CommandError({ code: 'upload-interrupted', id: id! }, { cause: error })
      reportError(interrupted, { flags, status: interruption.status!, print })
      return interruption.status!
    } finally {
      print.progress.end()
      interruption.release()
    }
  },
}

interface Push {
  readonly folder: string
  readonly id: string
  readonly flags: PushFlags
}

async function push({ folder, id, flags }: Push, context: PushContext): Promise<number> {
  const [{ listPushed }, { formatPushed, formatPushPlan, pushOutput }] = await Promise.all([
    import('@mk/checkpoint/push'),
    import('./push-output.ts'),
  ])
  if (flags.dryRun) {
    const files = await listPushed(folder)
    process.stdout.write(flags.json ? formatJson({ version: 1, id, files }) : formatPushPlan(id, files))
    return exitStatus.success
  }
  const result = await pushOutput(
    {
      folder,
      id,
      ...(flags.private !== undefined && { isPrivate: flags.private }),
      ...(flags.pullRequest !== undefined && { isPullRequest: flags.pullRequest }),
      ...(flags.message !== undefined && { message: flags.message }),
    },
    context,
  )
  process.stdout.write(flags.json ? formatJson({ version: 1, ...result }) : formatPushed(result))
  return exitStatus.success
}

const formatJson = (value: unknown): string => `${JSON.stringify(value)}\n`

/** Runs `mk-push`, which uploads a merged model to the hub. @returns the exit status */
export const mkPush = (args: readonly string[]): Promise<number> => runCommand(definition, args)
