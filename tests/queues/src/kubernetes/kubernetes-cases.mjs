import { existsSync } from 'node:fs'
import { expect } from '../checks.mjs'
import { readManifests } from './read-manifests.mjs'

/**
 * Runs what the containers of the manifests run, in the order of the page, with the paths of the pods put where they are here.
 * @param {{ place: Awaited<ReturnType<typeof import('../workplace.mjs').openWorkplace>>, check: ReturnType<typeof import('../checks.mjs').createChecks>['check'] }} context
 */
export async function kubernetesCases({ place, check }) {
  await check('what the pods of the manifests run gives the same bytes', async () => {
    const out = place.outIn('by-kubernetes')
    const here = {
      '/recipe/recipe.yml': place.recipe,
      '/shared/merged': out,
      '/shared/plan.json': `${place.folder}/pods.json`,
    }
    const jobs = Object.fromEntries(readManifests().map(({ object }) => [object.metadata.name, object.spec]))
    const run = async (name, env) => {
      const [{ command, args }] = jobs[name].template.spec.containers
      await place.must(
        [...command, ...args].map((word) =>
          Object.entries(here).reduce((text, [from, to]) => text.replaceAll(from, to), word),
        ),
        { env },
      )
    }
    await run('mk-plan')
    const { completions } = jobs['mk-parts']
    // In no order.
    for (let index = 0; index < completions; index++)
      await run('mk-parts', { JOB_COMPLETION_INDEX: String((index * 7) % completions) })
    expect(!existsSync(out), 'there is an output before the end')
    await run('mk-finish')
    place.checkOutput(out)
    return `${completions} pods`
  })
}
