import {
  comparePositions,
  ConfigError,
  type ConfigPath,
  formatPlace,
  type MergeConfig,
  readConfig,
  stringifyYaml,
} from '@mk/config'
import { issueErrorOf } from '@mk/errors'
import { findMethod, type MethodDefinition } from '@mk/methods'
import { listMethodChoices } from '@mk/params'
import { MergeError } from '../errors.ts'
import { checkRecipe, type RecipeCheck, type RecipeFault, startsWith } from './check-recipe.ts'

export interface ReadRecipe {
  readonly config: MergeConfig
  readonly warnings: readonly string[]
  /** Gives 'file:line:column' of a place in the recipe, or its path in an object. */
  readonly locate: (path: ConfigPath) => string
  /** The recipe as YAML, for whoever looks at the output: as it was given, or written of the object. */
  readonly text: string
  /** Checks what only the methods can tell, where it was not known before. @returns warnings */
  checkMethod(methods: ReadonlyMap<string, MethodDefinition>): readonly string[]
}

interface ReadOptions {
  readonly file: string | undefined
  readonly lenient: boolean
  readonly methods: ReadonlyMap<string, MethodDefinition>
  /** Tells whether a method is code that is not loaded yet. */
  readonly isModule: (mergeMethod: string) => boolean
}

/**
 * Reads a recipe, and checks all of it that can be checked before a model is opened.
 * @param recipe YAML, or an object with the same keys
 * @throws ConfigError, MethodError where one thing is wrong; MergeError 'recipe-faults' where there is more
 */
export function readRecipe(recipe: string | object, { file, lenient, methods, isModule }: ReadOptions): ReadRecipe {
  const {
    config,
    issues,
    warnings,
    document,
    locate: positionOf,
  } = readConfig(recipe, { ...(file !== undefined && { file }), lenient })
  const locate = (path: ConfigPath, at?: 'value' | 'key') => formatPlace(file, positionOf(path, at))
  const check = (known: ReadonlyMap<string, MethodDefinition>) =>
    checkMethods(config, { methods: known, locate, lenient, unread: issues.map(({ path }) => path) })
  const isLater = config !== undefined && listMethodChoices(config).some(({ method }) => isModule(method))
  const early = isLater ? nothing : check(methods)
  const isUnknown = ({ path }: { readonly path: ConfigPath }) =>
    early.unknown.some((parameter) => startsWith(path, parameter))
  const all = [
    ...issues
      .filter((issue) => !isUnknown(issue))
      .map((issue) => ({ path: issue.path, position: issue.position, error: new ConfigError([issue]) })),
    ...early.faults.map((fault) => ({ ...fault, position: positionOf(fault.path) })),
  ].toSorted((a, b) => comparePositions(a.position, b.position))
  throwFaults(all)
  return {
    config: config!,
    text: typeof recipe === 'string' ? recipe : stringifyYaml(document),
    warnings: [...warnings, ...early.warnings],
    locate,
    checkMethod(known) {
      if (!isLater) return []
      const late = check(known)
      throwFaults(late.faults)
      return late.warnings
    },
  }
}

const nothing: RecipeCheck = { faults: [], warnings: [], unknown: [] }

function checkMethods(
  config: MergeConfig | undefined,
  options: Omit<Parameters<typeof checkRecipe>[1], 'methodCalled'>,
): RecipeCheck {
  if (config === undefined || config.mergeMethod.length === 0) return nothing
  const found = new Map<string, MethodDefinition | undefined>()
  const unknown: RecipeFault[] = []
  for (const { method, path } of listMethodChoices(config)) {
    try {
      found.set(method, findMethod(method, options.methods, options.locate(path)))
    } catch (error) {
      const issue = issueErrorOf(error)?.issue as { readonly code: string; readonly nearest?: string } | undefined
      if (issue?.code !== 'unknown-method') throw error
      unknown.push({ path, error: error as Error })
      found.set(method, issue.nearest === undefined ? undefined : options.methods.get(issue.nearest))
    }
  }
  if ([...found.values()].includes(undefined)) return { ...nothing, faults: unknown }
  const unread = [...options.unread, ...unknown.map(({ path }) => path)]
  const further = checkRecipe(config, { ...options, methodCalled: (name) => found.get(name)!, unread })
  return { ...further, faults: [...unknown, ...further.faults] }
}

function throwFaults(faults: readonly Pick<RecipeFault, 'error'>[]): void {
  const [first, second] = faults
  if (first === undefined) return
  if (second === undefined) throw first.error
  const issues = faults.map(({ error }) => (error instanceof ConfigError ? error.issue : undefined))
  const [issue, ...others] = issues.filter((each) => each !== undefined)
  if (issue !== undefined && others.length === faults.length - 1) throw new ConfigError([issue, ...others])
  throw new MergeError({
    code: 'recipe-faults',
    faults: faults.map(({ error }) => ({ code: issueErrorOf(error)!.code, text: error.message })),
  })
}
