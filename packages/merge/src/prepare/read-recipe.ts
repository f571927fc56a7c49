import {
  blockTypes,
  comparePositions,
  ConfigError,
  type ConfigPath,
  formatPlace,
  type MergeConfig,
  type Position,
  type ReadConfig,
  readRecipes,
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
  /** All recipes of the file as YAML, for whoever looks at the output: as they were given, or written of the object. */
  readonly text: string
  /** Checks what only the methods can tell, where it was not known before. @returns warnings */
  checkMethod(methods: ReadonlyMap<string, MethodDefinition>): readonly string[]
}

interface ReadOptions {
  readonly file: string | undefined
  readonly lenient: boolean
  /** Whether all recipes may have names, so that none is the output. */
  readonly allNamed?: boolean
  readonly methods: ReadonlyMap<string, MethodDefinition>
  /** Tells whether a method is code that is not loaded yet. */
  readonly isModule: (mergeMethod: string) => boolean
}

/** What is wrong with a recipe, and in which line and column. */
type PlacedFault = RecipeFault & { readonly position: Position | undefined }

/**
 * Reads the recipes of a file, and checks all of them that can be checked before a model is opened.
 * @param given YAML, or one recipe as an object with the same keys
 * @returns each after those that it is made of, the output's, if there is one, last; most files have that one only
 * @throws ConfigError, MethodError where one thing is wrong; MergeError 'recipe-faults' where there is more
 */
export function readRecipeFile(given: string | object, options: ReadOptions): readonly ReadRecipe[] {
  const { file, lenient, allNamed = false } = options
  const { recipes, issues, order } = readRecipes(given, { ...(file !== undefined && { file }), lenient, allNamed })
  const text = typeof given === 'string' ? given : stringifyYaml(recipes[0]!.document)
  const read = recipes.map((recipe) => readOne(recipe, text, options))
  const ofNames = issues.map((issue): PlacedFault => ({ ...issue, error: new ConfigError([issue]) }))
  throwFaults(
    [...ofNames, ...read.flatMap(({ faults }) => faults)].toSorted((a, b) => comparePositions(a.position, b.position)),
  )
  return order.map((index) => read[index]!.recipe)
}

function readOne(
  { config, issues, warnings, locate: positionOf }: ReadConfig,
  text: string,
  { file, lenient, methods, isModule }: ReadOptions,
): { readonly recipe: ReadRecipe; readonly faults: readonly PlacedFault[] } {
  const locate = (path: ConfigPath, at?: 'value' | 'key') => formatPlace(file, positionOf(path, at))
  const check = (known: ReadonlyMap<string, MethodDefinition>) =>
    checkMethods(config, { methods: known, locate, lenient, unread: issues.map(({ path }) => path) })
  const isLater = config !== undefined && listMethodChoices(config).some(({ method }) => isModule(method))
  const early = isLater ? nothing : check(methods)
  const isUnknown = ({ path }: { readonly path: ConfigPath }) =>
    early.unknown.some((parameter) => startsWith(path, parameter))
  const ofStage = config?.name === undefined ? [] : checkStage(config, config.name, methods, locate)
  return {
    faults: [
      ...issues
        .filter((issue) => !isUnknown(issue))
        .map((issue) => ({ path: issue.path, position: issue.position, error: new ConfigError([issue]) })),
      ...[...early.faults, ...ofStage].map((fault) => ({ ...fault, position: positionOf(fault.path) })),
    ],
    recipe: {
      config: config!,
      text,
      warnings: [...warnings, ...early.warnings],
      locate,
      checkMethod(known) {
        if (!isLater) return []
        const late = check(known)
        throwFaults(late.faults)
        return late.warnings
      },
    },
  }
}

/** Checks what only a merge must not have that others are made of. */
function checkStage(
  { outFormat, outDtype }: MergeConfig,
  name: string,
  methods: ReadOptions['methods'],
  locate: (path: ConfigPath) => string,
): readonly RecipeFault[] {
  const [ofName, ofFormat, ofDtype] = [['name'], ['out_format'], ['out_dtype']] as const
  const isBlocks = outDtype !== undefined && blockTypes.some((type) => type === outDtype)
  const wrong = (path: readonly [string], value: string): RecipeFault => ({
    path,
    error: new MergeError({ code: 'stage-format', key: path[0], value, where: locate(path) }),
  })
  return [
    ...(methods.has(name)
      ? [{ path: ofName, error: new MergeError({ code: 'merge-named-as-method', name, where: locate(ofName) }) }]
      : []),
    ...(outFormat === 'gguf' || outFormat === 'lora' ? [wrong(ofFormat, outFormat)] : []),
    ...(isBlocks ? [wrong(ofDtype, outDtype)] : []),
  ]
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
