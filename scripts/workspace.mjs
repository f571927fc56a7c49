// The packages of this repository, by the folders that have a package.json.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url)).replace(/[/\\]$/, '')

/** The folders that hold packages; pnpm-workspace.yaml has the same. */
export const groups = ['packages', 'apps', 'tests']

/** Lists the members in the order of their folders: `directory` from the root, such as 'packages/merge', and `manifest`. */
export const listMembers = () =>
  groups.flatMap((group) =>
    readdirSync(`${root}/${group}`)
      .map((name) => `${group}/${name}`)
      .filter((directory) => existsSync(`${root}/${directory}/package.json`))
      .map((directory) => ({ directory, manifest: readManifest(directory) })),
  )

/** Lists those that are published. */
export const listPublished = () => listMembers().filter(({ manifest }) => manifest.private !== true)

export const readManifest = (directory) => JSON.parse(readFileSync(`${root}/${directory}/package.json`, 'utf8'))
