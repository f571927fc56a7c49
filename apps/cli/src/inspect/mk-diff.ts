import { InvalidArgumentError } from 'commander'
import { readModelArgument } from '../commands/model-argument.ts'
import { type CommandDefinition, runCommand } from '../commands/run-command.ts'
import { groupedOption } from '../commands/shared-options.ts'
import { exitStatus } from '../errors/exit-status.ts'
import { describeScreen } from '../print/style.ts'
import { type InspectionFlags, inspectionOptions } from './inspection-options.ts'

interface DiffFlags extends InspectionFlags {
  readonly base?: string
  readonly top: number
  readonly effectiveRank?: boolean
  readonly html?: string
}

const definition: CommandDefinition<DiffFlags> = {
  name: 'mk-diff',
  summary: 'Compare two models tensor by tensor: how far they are apart, where, and what they change in a common base.',
  operands: [
    { name: 'a', summary: 'a model: a folder, a file, or org/name at the hub; model+adapter', isNeeded: () => true },
    { name: 'b', summary: 'the one to compare with it', isNeeded: () => true },
  ],
  declareOptions(command) {
    for (const option of [
      groupedOption('recipe', '--base <model>', 'the model that both were made from: compares what they change'),
      groupedOption('recipe', '--top <share>', 'how many of the elements count as the largest changes')
        .argParser(share)
        .default(0.01),
      groupedOption(
        'recipe',
        '--effective-rank',
        'measure how many dimensions the difference of each matrix uses, too: minutes for a large model',
      ),
      groupedOption('output', '--html <file>', 'write a page with a map of the differences by layer and kind, too'),
      ...inspectionOptions('print the comparison, or an error, as JSON'),
    ])
      command.addOption(option)
  },
  examples: [
    ['mk-diff ./merged org/fine-tune', 'whether, where and how far they differ'],
    ['mk-diff org/tune-1 org/tune-2 --base org/base --html diff.html', 'what two fine-tunes change, as a page'],
    ['mk-diff org/base org/tune --effective-rank', 'how low the rank of an adapter for the changes could be'],
    ['mk-diff ./merged merged.gguf', 'what a conversion has cost'],
  ],
  async act({ flags, operands: [a, b] }) {
    const { diffModels, diffPage, prepareDiff } = await import('./inspecting.ts')
    const { runInspection } = await import('./inspection.ts')
    return runInspection(flags, async ({ print, signal, open, during }) => {
      const { html, base } = flags
      const request = {
        a: await readModelArgument(a!),
        b: await readModelArgument(b!),
        ...(base !== undefined && { base: await readModelArgument(base) }),
      }
      if (html !== undefined) await (await import('./write-page.ts')).checkPage(html)
      const { prepared, threads } = await open({ text: '', file: 'mk-diff', isGenerated: true }, (options) =>
        prepareDiff(request, options),
      )
      const found = await during('comparing', (onProgress) =>
        diffModels(prepared, {
          ...threads,
          topShare: flags.top,
          effectiveRank: flags.effectiveRank ?? false,
          signal,
          onProgress,
        }),
      )
      if (html !== undefined) {
        await (await import('./write-page.ts')).writePage(html, diffPage(found))
        print.note(`${html} shows it in a browser`)
      }
      if (flags.json) process.stdout.write(`${JSON.stringify({ version: 1, ...found })}\n`)
      else {
        const { formatDiff } = await import('./format-diff.ts')
        process.stdout.write(formatDiff(found, { screen: describeScreen(process.stdout), full: flags.verbose > 0 }))
      }
      return exitStatus.success
    })
  },
}

function share(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (!(value > 0 && value <= 1)) throw new InvalidArgumentError('Expected a number above 0, at most 1.')
  return value
}

/** Runs `mk-diff`, which compares two models. @returns the exit status */
export const mkDiff = (args: readonly string[]): Promise<number> => runCommand(definition, args)
