import type { CommandDefinition, CommonFlags } from '../commands/run-command.ts'
import { sharedOptions } from '../commands/shared-options.ts'
import { exitStatus } from '../errors/exit-status.ts'

/** `mk-gguf info`, which prints what a GGUF's header says. */
export const infoCommand: CommandDefinition<CommonFlags> = {
  name: 'mk-gguf info',
  summary:
    'Print what the header of a GGUF says: a local file, or one at the hub, of which only the header is fetched.',
  operands: [
    { name: 'file', summary: 'a path, org/name/file.gguf or org/name@revision/file.gguf', isNeeded: () => true },
  ],
  declareOptions: (command) =>
    command
      .addOption(sharedOptions.json('print it as JSON, with all elements of arrays'))
      .addOption(sharedOptions.verbose('with an error, say where in the code it was noticed')),
  examples: [
    ['mk-gguf info merged.gguf', 'what a file says of its model'],
    ['mk-gguf info org/name/file.gguf', 'the same of one at the hub'],
  ],
  async act({ flags: { json }, operands: [file] }) {
    const [{ printable }, { readHeader }, { formatInfo, formatInfoJson }] = await Promise.all([
      import('@mk/errors'),
      import('./read-header.ts'),
      import('./format-info.ts'),
    ])
    const info = { ...(await readHeader(file!)), file: file! }
    process.stdout.write(json ? formatInfoJson(info) : printable(formatInfo(info)))
    return exitStatus.success
  },
}
