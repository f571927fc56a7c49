// Refuses to publish while nobody has said where the repository is: its address stands in every package, and npm compares it with
// the one that a release was built from.
import { readFileSync } from 'node:fs'

const { repository } = JSON.parse(readFileSync(new URL('../manifests.json', import.meta.url), 'utf8'))
const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: name } = process.env
const problem = new URL(repository).hostname.endsWith('.example')
  ? `${repository} stands for an address that is not known yet`
  : server !== undefined && name !== undefined && repository !== `${server}/${name}`
    ? `${repository} is not ${server}/${name}, which this is run from`
    : undefined
if (problem !== undefined) {
  console.error(
    `error: not published: 'repository' in scripts/manifests.json: ${problem}; set it, then npm run manifests`,
  )
  process.exitCode = 2
}
