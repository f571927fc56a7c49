import { beforeAll, expect, test } from 'vitest'
import { listPublished } from '../../../scripts/workspace.mjs'
import { listBundles, measureBundles, measureInstallation, readBudgets } from './measure-size.mjs'

// What is over: npm run sizes shows all, and with --write takes the new size as the budget.
const budgets = readBudgets()
const bundles = listBundles(listPublished(), budgets)
let sizes: readonly { readonly minified: number; readonly gzipped: number }[]
beforeAll(async () => {
  sizes = await measureBundles(bundles)
}, 120_000)

test.each(bundles.map(({ kind, name }, index) => [name, kind, index] as const))(
  'in a bundle %s is within its budget',
  (name, kind, index) => {
    const { minified = 0, gzipped = 0 } = budgets[kind][name] ?? {}
    expect(sizes[index]!.minified).toBeLessThanOrEqual(minified)
    expect(sizes[index]!.gzipped).toBeLessThanOrEqual(gzipped)
  },
)

test('budgets are of what there is', () => {
  const names = bundles.flatMap(({ kind, name }) => (kind === 'entries' ? [name] : []))
  expect(Object.keys(budgets.entries).toSorted()).toEqual(names.toSorted())
})

test.each<Installation>(budgets.installations)(
  'an installation of $directories is within its budget',
  ({ directories, ...budget }) => {
    const measured = measureInstallation(directories)
    expect(measured.packages).toBeLessThanOrEqual(budget.packages)
    expect(measured.bytes).toBeLessThanOrEqual(budget.bytes)
    expect(measured.blocks).toBeLessThanOrEqual(budget.blocks)
  },
)

interface Installation {
  readonly directories: readonly string[]
  readonly packages: number
  readonly bytes: number
  readonly blocks: number
}
