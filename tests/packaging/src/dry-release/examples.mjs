// The examples of READMEs, each with what its page tells to install.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../../../scripts/workspace.mjs'

/**
 * Lists the pages that have examples in TypeScript.
 * @returns for each the package's directory, the packages to `install`, and the `codes` of the examples
 */
export const listPages = (packages) =>
  packages
    .map(({ directory }) => {
      const page = readFileSync(join(root, directory, 'README.md'), 'utf8')
      const [, told] = /^npm install .*published: npm install (?:-g )?(.+)$/m.exec(page) ?? []
      if (told === undefined) throw new Error(`${directory}/README.md doesn't say how it is installed`)
      const codes = [...page.matchAll(/^```(?:ts|js)\n([\s\S]*?)^```$/gm)].map(([, code]) => code)
      return { directory, install: told.split(' '), codes: codes.filter((code) => code.startsWith('import ')) }
    })
    .filter(({ codes }) => codes.length > 0)
