import { type ConfigPath, type MethodChoice, type ParameterBlock, type ParameterSetting, sameModel } from '@mk/config'
import { nearest, quoted } from '@mk/errors'
import { parameterNames, type ParameterDeclaration } from '@mk/methods'
import { listMethodChoices, matchesFilter } from '@mk/params'
import { originsOf, type OutputTensor } from './list-output-tensors.ts'
import type { PlanContext } from './plan-context.ts'
import type { UnplacedTensor } from './plan-files.ts'
import { embeddingSettings, usedDeclarations } from './plan-parameters.ts'
import type { ParameterBlocks } from './resolve-slices.ts'

type Choice = Extract<ParameterSetting, { kind: 'filtered' }>['choices'][number]

/** Something that a tensor may take a value from. */
type Used = ParameterSetting | Choice | MethodChoice

/**
 * Finds the settings that no tensor takes its value from: filters that match nothing, values that a narrower level or an earlier
 * entry always replaces, and per-model parameters of the base.
 * @returns a sentence for each, with file, line and column
 */
export function findIdleSettings(
  context: PlanContext,
  outputs: readonly OutputTensor[],
  planned: readonly UnplacedTensor[],
): readonly string[] {
  const used = listUsed(outputs, planned)
  const usedPlaces = new Set<string>()
  const idle = new Map<string, string>()
  // Only where something is idle.
  let expected: readonly string[] | undefined
  const listExpected = () =>
    (expected ??= outputs.flatMap((tensor) => originsOf(tensor).map(({ expectedName }) => expectedName)))
  const orElse = context.methods.length > 1 ? ', or is merged by a method that has no such parameter' : ''
  const judge = (thing: Used, path: ConfigPath, sentence: () => string): void => {
    const where = context.inputs.locate(path)
    if (used.has(thing)) usedPlaces.add(where)
    else if (!idle.has(where)) idle.set(where, `${where}: ${sentence()}`)
  }
  for (const { block, name, isOfBase } of listSettings(context)) {
    const setting = block.settings.get(name)!
    const path = [...block.path, name]
    if (isOfBase)
      judge(setting, path, () => `'${name}' of the base model is not used, only those of the other models are`)
    else if (setting.kind !== 'filtered')
      judge(
        setting,
        path,
        () => `'${name}' is not used: each tensor has it from a narrower level, or is not merged${orElse}`,
      )
    else
      for (const [index, choice] of setting.choices.entries()) {
        const at = choice.filter === undefined ? [...path, index, 'value'] : [...path, index, 'filter']
        judge(choice, at, () => describeChoice(name, choice, { names: listExpected(), orElse }))
      }
  }
  // The top has to have one for all other tensors, even if there are none.
  for (const choice of listMethodChoices(context.config).filter(({ filter }) => filter !== undefined && filter !== '*'))
    judge(choice, [...choice.path.slice(0, -1), 'filter'], () =>
      describeChoice('merge_method', choice, { names: outputs.map(({ name }) => name), orElse: '' }),
    )
  // One place may stand for several models, by an alias; it is idle where none of them uses it.
  return [...idle].flatMap(([where, sentence]) => (usedPlaces.has(where) ? [] : [sentence]))
}

function describeChoice(
  parameter: string,
  { filter }: Pick<Choice, 'filter'>,
  { names, orElse }: { readonly names: readonly string[]; readonly orElse: string },
): string {
  if (filter === undefined || filter === '*')
    return `the value of '${parameter}' for all other tensors is not used: there are none`
  const shown = quoted(filter)
  if (names.some((name) => name.includes(filter)))
    return `the filter ${shown} of '${parameter}' is not used: what it matches has its value from another entry, or is not merged${orElse}`
  if (/[*^$\\|?()[\]+]/.test(filter))
    return `the filter ${shown} of '${parameter}' matches no tensor: a filter is a part of a tensor's name, not a pattern`
  const guess = findSimilarPart(filter, names)
  return `the filter ${shown} of '${parameter}' matches no tensor${guess === undefined ? '' : `; did you mean '${guess}'?`}`
}

function findSimilarPart(filter: string, names: readonly string[]): string | undefined {
  const parts = new Set(names.flatMap((name) => name.split('.')).filter((part) => !/^\d*$/.test(part)))
  const within = [...parts].filter((part) => part.length > 2 && filter.includes(part))
  return nearest(filter, parts) ?? within.toSorted((a, b) => b.length - a.length)[0]
}

interface Lookup {
  readonly declaration: ParameterDeclaration
  readonly scope: 'perModel' | 'methodWide'
  /** All, where it matters which they are, else one. */
  readonly tensorNames: string[]
  readonly goesByName: boolean
}

/** Lists the settings, and the entries of those with filters, that some tensor takes a value from. */
function listUsed(outputs: readonly OutputTensor[], planned: readonly UnplacedTensor[]): ReadonlySet<Used> {
  const operations = new Map(planned.map(({ name, operation }) => [name, operation.kind]))
  const lookups = new Map<ParameterBlocks, Lookup[]>()
  const chosen = new Set<MethodChoice>()
  const ask = (
    blocks: ParameterBlocks,
    declaration: ParameterDeclaration,
    scope: Lookup['scope'],
    name: string,
  ): void => {
    let known = lookups.get(blocks)
    if (known === undefined) lookups.set(blocks, (known = []))
    for (const lookup of known)
      if (lookup.declaration === declaration && lookup.scope === scope) {
        if (lookup.goesByName) lookup.tensorNames.push(name)
        return
      }
    known.push({ declaration, scope, tensorNames: [name], goesByName: blocks.some(hasFilters) })
  }
  for (const tensor of outputs) {
    const kind = operations.get(tensor.name)
    if (kind === undefined || kind === 'copy') continue
    if (kind === 'merge') chosen.add(tensor.choice!)
    const declaration = kind === 'merge' ? tensor.method! : embeddingSettings
    ask(tensor.blocks, declaration, 'methodWide', tensor.name)
    for (const { blocks, expectedName } of kind === 'merge' ? tensor.models : originsOf(tensor))
      ask(blocks, declaration, 'perModel', expectedName)
  }
  const used = new Set<Used>(chosen)
  for (const [blocks, asked] of lookups)
    for (const { declaration, scope, tensorNames } of asked)
      for (const parameter of Object.keys(declaration.parameters[scope])) markUsed(parameter, blocks, tensorNames, used)
  return used
}

/** Where there are none, one tensor is asked for as any other is. */
const hasFilters = (block: ParameterBlock | undefined): boolean =>
  block !== undefined && [...block.settings.values()].some(({ kind }) => kind === 'filtered')

/** As `resolveParameter` looks up, for many tensors at once. */
function markUsed(parameter: string, blocks: ParameterBlocks, tensorNames: readonly string[], used: Set<Used>): void {
  let open = tensorNames
  for (const block of blocks) {
    const setting = block?.settings.get(parameter)
    if (setting === undefined || open.length === 0) continue
    used.add(setting)
    if (setting.kind !== 'filtered') return
    open = open.filter((name) => {
      const choice = setting.choices.find((entry) => matchesFilter(entry, name))
      if (choice !== undefined) used.add(choice)
      return choice === undefined
    })
  }
}

interface WrittenSetting {
  readonly block: ParameterBlock
  readonly name: string
  readonly isOfBase: boolean
}

/** Lists the settings that could be used where they stand; of others there are other notes. */
function listSettings({ config, methods }: PlanContext): WrittenSetting[] {
  const declarations = usedDeclarations(config, methods)
  const all = new Set(declarations.flatMap(parameterNames))
  const perModel = new Set(declarations.flatMap(({ parameters }) => Object.keys(parameters.perModel)))
  const isAlwaysBase = methods.every(({ base }) => base !== 'none')
  const found = new Map<ParameterBlock, WrittenSetting[]>()
  const add = (block: ParameterBlock | undefined, known: ReadonlySet<string>, isOfBase = false): void => {
    if (block === undefined || found.has(block)) return
    const names = [...block.settings.keys()].filter((name) => known.has(name))
    found.set(
      block,
      names.map((name) => ({ block, name, isOfBase })),
    )
  }
  for (const module of config.modules) {
    for (const slice of module.slices) {
      const base = isAlwaysBase ? (slice.baseModel ?? config.baseModel) : undefined
      for (const { model, parameters, modelParameters } of slice.sources) {
        const isOfBase = base !== undefined && sameModel(model, base)
        add(parameters, perModel, isOfBase)
        add(modelParameters, perModel, isOfBase)
      }
      add(slice.parameters, all)
    }
    add(module.parameters, all)
  }
  add(config.parameters, all)
  return [...found.values()].flat()
}
