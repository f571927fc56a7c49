import { printable } from '@mk/errors'
import { listSummands, listReferences } from './list-references.ts'
import { describeNode, readText } from './decoding.ts'
import type { Decoding } from './decoding.ts'
import type { MapEntry } from './config-tree.ts'
import type { ConfigIssue, ConfigProblem } from './errors.ts'
import type { ConfigPath, MergeConfig } from './merge-config.ts'
import { formatPlace, type Position } from './place.ts'

/** What a name may be: that of a folder, and what a reference to a model can say. */
const longestName = 100

/** Decodes the name of a merge, which others call it by and which may become that of a folder. */
export function decodeMergeName(decoding: Decoding, entry: MapEntry | undefined): string | undefined {
  if (entry === undefined) return undefined
  const path = ['name']
  const fail = (reason: string) =>
    decoding.report(entry.value.position, path, {
      code: 'bad-merge-name',
      found: describeNode(entry.value),
      reason,
    })
  if (entry.value.kind === 'scalar' && entry.value.value === null)
    return fail(`expected a word; leave out 'name' where the merge is the output`)
  const name = readText(decoding, entry.value, path, 'a word that the other recipes of the file call this merge by')
  if (name === undefined) return undefined
  const unfit = whyUnfit(name)
  return unfit === undefined ? name : fail(`which can't name a model and a folder: ${unfit}`)
}

function whyUnfit(name: string): string | undefined {
  const [special] = /[@+/\\:]/.exec(name) ?? []
  if (special !== undefined) return `it has a '${special}' in it`
  if (name === '') return 'it is empty'
  if (name.startsWith('.')) return 'it starts with a dot'
  if (name.trim() !== name) return 'it has a space around it'
  if (printable(name) !== name || name.includes('\n')) return 'it has a character in it that no screen shows'
  return name.length > longestName ? `expected at most ${longestName} characters` : undefined
}

/** One recipe of a file. */
export interface NamedRecipe {
  readonly config: MergeConfig | undefined
  /** What is wrong with it. */
  readonly issues: readonly ConfigIssue[]
  locate(path: ConfigPath, at?: 'value' | 'key'): Position | undefined
}

/** How the recipes of a file depend on one another. */
export interface RecipeOrder {
  readonly issues: readonly ConfigIssue[]
  /** Indices of the recipes: each after those that it is made of, the output last if there is one. Empty where there are issues. */
  readonly order: readonly number[]
}

/**
 * Finds out which of the recipes of a file is the output and in which order they follow from one another, and what is wrong with
 * their names. A path that is the name of a merge means the merge.
 */
export function orderRecipes(
  recipes: readonly NamedRecipe[],
  { file, allNamed = false }: { readonly file?: string; readonly allNamed?: boolean },
): RecipeOrder {
  const issues: ConfigIssue[] = []
  const report = (recipe: NamedRecipe, path: ConfigPath, problem: ConfigProblem, at?: 'value' | 'key') =>
    issues.push({ ...problem, path, position: recipe.locate(path, at), ...(file !== undefined && { file }) })
  const placeOf = (recipe: NamedRecipe, path: ConfigPath) => formatPlace(file, recipe.locate(path))

  const byName = new Map<string, number>()
  let output: number | undefined
  recipes.forEach((recipe, index) => {
    const name = recipe.config?.name
    if (recipe.config === undefined) return
    if (name === undefined) {
      // One whose name is wrong has been told so.
      if (recipe.issues.some(({ path }) => path[0] === 'name')) return
      if (output !== undefined) report(recipe, [], { code: 'several-outputs', first: placeOf(recipes[output]!, []) })
      else output = index
      return
    }
    const twin = byName.get(name)
    if (twin === undefined) byName.set(name, index)
    else report(recipe, ['name'], { code: 'merge-name-twice', name, first: placeOf(recipes[twin]!, ['name']) })
  })
  if (output === undefined && !allNamed && byName.size === recipes.length)
    report(recipes.at(-1)!, ['name'], { code: 'no-output', names: [...byName.keys()] })

  const usesOf = recipes.map((recipe) =>
    recipe.config === undefined
      ? []
      : listReferences(recipe.config)
          .flatMap(listSummands)
          .flatMap(({ reference, path }) => {
            const adapter = reference.adapters.find((each) => byName.has(each.path))
            if (adapter !== undefined)
              report(recipe, path, {
                code: 'merge-as-repository',
                name: adapter.path,
                reason: 'it is a whole model, no adapter',
              })
            const of = byName.get(reference.path)
            if (of === undefined) return []
            if (reference.revision !== undefined)
              report(recipe, path, {
                code: 'merge-as-repository',
                name: reference.path,
                reason: `it has no revisions; leave out '@${reference.revision}'`,
              })
            return [{ of, path }]
          }),
  )
  const order: number[] = []
  const state = new Map<number, 'open' | 'done'>()
  const visit = (index: number, way: readonly number[]): void => {
    if (state.get(index) === 'done') return
    state.set(index, 'open')
    for (const { of, path } of usesOf[index]!) {
      if (state.get(of) !== 'open') {
        visit(of, [...way, index])
        continue
      }
      const cycle = [...way, index].slice([...way, index].indexOf(of))
      const names = [...cycle, of].map((each) => recipes[each]!.config!.name ?? 'the output')
      report(recipes[index]!, path, { code: 'merges-in-a-circle', names })
    }
    state.set(index, 'done')
    order.push(index)
  }
  recipes.forEach((_, index) => {
    if (index !== output) visit(index, [])
  })
  if (output !== undefined) visit(output, [])
  return { issues, order: issues.length > 0 ? [] : order }
}
