import { type ConfigPath, formatPlace, nearestDtype, type DtypeName, parseModelReference, readConfig } from '@mk/config'
import { issueErrorOf, nearest, quoted, shortened } from '@mk/errors'
import { MoeError, type MoeFault } from '../errors.ts'
import { type ExpertConfig, gateModes, isDrawn, type MoeConfig } from './moe-config.ts'

const keys = {
  top: ['base_model', 'experts', 'shared_experts', 'gate_mode', 'dtype', 'experts_per_token', 'architecture'],
  expert: ['source_model', 'positive_prompts', 'negative_prompts', 'noise_scale', 'residual_scale'],
} as const
const dtypes: readonly DtypeName[] = ['float32', 'float16', 'bfloat16']

interface ParseOptions {
  readonly file: string
  /** Keys that nothing knows are ignored, with a warning for each. */
  readonly lenient?: boolean
  /** Whether all experts may be of one model. */
  readonly allowEqualExperts?: boolean
}

/** A file of `mergekit-moe` as it was understood. */
export interface ParsedMoeConfig {
  readonly config: MoeConfig
  readonly warnings: readonly string[]
  /** Gives 'file:line:column' of a place in the file. */
  readonly locate: (path: ConfigPath) => string
}

/**
 * Parses a file of `mergekit-moe`.
 * @throws MoeError 'invalid-moe-config' with everything that is wrong, each with line and column; ConfigError where the text is no YAML
 */
export function parseMoeConfig(text: string, options: ParseOptions): ParsedMoeConfig {
  const { file, lenient = false } = options
  const { document, locate, warnings } = readConfig(text, { file, lenient })
  const at = (path: ConfigPath, part?: 'key') => formatPlace(file, locate(path, part))
  const reading = new Reading(at, lenient)
  const config = reading.config(document)
  if (config !== undefined && reading.faults.length === 0) reading.check(config, options.allowEqualExperts ?? false)
  if (reading.faults.length > 0 || config === undefined)
    throw new MoeError({ code: 'invalid-moe-config', faults: reading.faults })
  // Those of readConfig are about a merge, but for keys that are given twice.
  const ofKeys = warnings.filter((warning) => /is given twice/.test(warning))
  return { config, warnings: [...ofKeys, ...reading.warnings], locate: (path) => at(path) }
}

type Plain = Readonly<Record<string, unknown>>

class Reading {
  readonly faults: MoeFault[] = []
  readonly warnings: string[] = []
  private readonly at: (path: ConfigPath, part?: 'key') => string
  private readonly lenient: boolean

  constructor(at: (path: ConfigPath, part?: 'key') => string, lenient: boolean) {
    this.at = at
    this.lenient = lenient
  }

  config(document: unknown): MoeConfig | undefined {
    if (!isMapping(document)) {
      this.fail([], `the file is ${show(document)}, expected a mapping with base_model and experts`)
      return undefined
    }
    if (isGiven(document['merge_method']))
      this.fail(['merge_method'], `this is a recipe for the command 'mergekit-yaml'`)
    this.checkKeys(document, keys.top, [])
    const baseModel = this.model(document, 'base_model', [])
    const experts = this.experts(document, 'experts')
    if (experts.length === 0 && this.faults.length === 0)
      this.fail(
        ['experts'],
        `experts is ${show(document['experts'])}, expected a list of {source_model, positive_prompts}`,
      )
    const gateMode = this.oneOf(document, 'gate_mode', gateModes) ?? 'hidden'
    const dtype = this.oneOf(document, 'dtype', dtypes, nearestDtype)
    const { architecture } = document
    if (isGiven(architecture) && (typeof architecture !== 'string' || architecture.trim() === ''))
      this.fail(['architecture'], `architecture is ${show(architecture)}, expected the beginning of an output's name`)
    return {
      baseModel,
      experts,
      sharedExperts: this.experts(document, 'shared_experts'),
      gateMode,
      expertsPerToken: this.perToken(document, experts.length),
      ...(dtype !== undefined && { dtype }),
      ...(typeof architecture === 'string' && { architecture }),
    }
  }

  /** Checks what several settings have to say together. */
  check({ experts, sharedExperts, gateMode }: MoeConfig, allowEqualExperts: boolean): void {
    const models = new Set(experts.map(({ model }) => model))
    const drawn = isDrawn(gateMode)
    if (experts.length > 1 && models.size === 1 && !allowEqualExperts)
      this.fail(
        ['experts'],
        `all experts are of ${[...models][0]!}, so that it makes no difference which one the router chooses; expected several models (--i-understand-this-is-not-useful-without-training makes it all the same)`,
      )
    if (drawn) {
      const withPrompts = [...experts, ...sharedExperts].filter(hasPrompts)
      if (withPrompts.length > 0)
        this.warnings.push(`${this.at(['gate_mode'])}: with 'gate_mode: ${gateMode}' prompts change nothing`)
      return
    }
    experts.forEach((expert, index) => {
      if (expert.positivePrompts.length === 0)
        this.fail(
          ['experts', index],
          `experts[${index}] needs positive_prompts, which tell the router when to choose it ('gate_mode: random' needs none)`,
        )
    })
    const said = new Set(
      experts.map(({ positivePrompts, negativePrompts }) => JSON.stringify([positivePrompts, negativePrompts])),
    )
    if (experts.length > 1 && said.size === 1)
      this.fail(
        ['experts'],
        'all experts have the same prompts, and the router would take any of them; expected different ones',
      )
    const prompted = sharedExperts.filter(hasPrompts).length
    if (prompted > 0 && prompted < sharedExperts.length)
      this.fail(['shared_experts'], 'some of the shared experts have prompts, expected all of them or none')
    sharedExperts.forEach((expert, index) => {
      if (expert.negativePrompts.length > 0 && expert.positivePrompts.length === 0)
        this.fail(
          ['shared_experts', index],
          `shared_experts[${index}] has negative_prompts only, expected positive_prompts, too`,
        )
    })
  }

  private experts(document: Plain, key: string): readonly ExpertConfig[] {
    const list = document[key]
    if (!isGiven(list)) return []
    if (Array.isArray(list)) return list.map((expert: unknown, index) => this.expert(expert, [key, index]))
    this.fail([key], `${key} is ${show(list)}, expected a list of {source_model, positive_prompts}`)
    return []
  }

  private expert(expert: unknown, path: ConfigPath): ExpertConfig {
    const where = pathText(path)
    const given = isMapping(expert) ? expert : {}
    if (!isMapping(expert)) this.fail(path, `${where} is ${show(expert)}, expected {source_model, positive_prompts}`)
    else this.checkKeys(expert, keys.expert, path)
    return {
      model: isMapping(expert) ? this.model(given, 'source_model', path) : '',
      positivePrompts: this.prompts(given, 'positive_prompts', path),
      negativePrompts: this.prompts(given, 'negative_prompts', path),
      noiseScale: this.number(given, 'noise_scale', path, 0),
      residualScale: this.number(given, 'residual_scale', path, 1),
    }
  }

  private prompts(expert: Plain, key: string, path: ConfigPath): readonly string[] {
    const list = expert[key]
    if (!isGiven(list)) return []
    if (Array.isArray(list) && list.every((prompt) => typeof prompt === 'string')) return list
    const at = Array.isArray(list) ? list.findIndex((prompt) => typeof prompt !== 'string') : -1
    if (at >= 0)
      this.fail(
        [...path, key, at],
        `${pathText([...path, key, at])} is ${show((list as unknown[])[at])}, expected text`,
      )
    else this.fail([...path, key], `${pathText([...path, key])} is ${show(list)}, expected a list of texts`)
    return []
  }

  private number(expert: Plain, key: string, path: ConfigPath, byDefault: number): number {
    const value = expert[key]
    if (!isGiven(value)) return byDefault
    const isFine = typeof value === 'number' && Number.isFinite(value) && (key !== 'noise_scale' || value >= 0)
    if (isFine) return value
    this.fail(
      [...path, key],
      `${pathText([...path, key])} is ${show(value)}, expected a number${key === 'noise_scale' ? ', 0 or more' : ''}`,
    )
    return byDefault
  }

  private perToken(document: Plain, expertCount: number): number {
    const value = document['experts_per_token']
    const count = isGiven(value) ? value : Math.min(2, Math.max(1, expertCount))
    if (typeof count === 'number' && Number.isInteger(count) && count >= 1 && count <= Math.max(1, expertCount))
      return count
    this.fail(
      ['experts_per_token'],
      `experts_per_token is ${show(value)}, expected a whole number from 1 to ${expertCount}, the number of experts`,
    )
    return 1
  }

  private oneOf<Value extends string>(
    document: Plain,
    key: string,
    known: readonly Value[],
    guessFor: (value: string) => string | undefined = (value) => nearest(value, known),
  ): Value | undefined {
    const value = document[key]
    if (!isGiven(value)) return undefined
    const found = known.find((each) => each === value)
    if (found !== undefined) return found
    const guess = typeof value === 'string' ? guessFor(value) : undefined
    const advice = guess === undefined ? '' : `; did you mean '${guess}'?`
    this.fail([key], `${key} is ${show(value)}, expected ${known.map((each) => `'${each}'`).join(', ')}${advice}`)
    return undefined
  }

  private model(mapping: Plain, key: string, path: ConfigPath): string {
    const value = mapping[key]
    if (typeof value !== 'string' || value.trim() === '') {
      this.fail(
        isGiven(value) ? [...path, key] : path,
        `${pathText([...path, key])} is ${show(value)}, expected a model: a folder or hub id such as 'org/name'`,
      )
      return ''
    }
    try {
      parseModelReference(value)
    } catch (error) {
      this.fail([...path, key], issueErrorOf(error)?.message ?? String(error))
    }
    return value
  }

  private checkKeys(mapping: Plain, known: readonly string[], path: ConfigPath): void {
    for (const key of Object.keys(mapping)) {
      if (known.includes(key) || key === 'merge_method') continue
      const guess = nearest(key, known)
      const advice = guess === undefined ? ` (expected: ${known.join(', ')})` : `; did you mean '${guess}'?`
      const problem = `unknown key ${quoted(key)}${advice}`
      if (this.lenient) this.warnings.push(`${this.at([...path, key], 'key')}: ignored: ${problem}`)
      else
        this.tell(
          this.at([...path, key], 'key'),
          `${problem}\n(--lenient ignores unknown keys, with a warning for each)`,
        )
    }
  }

  private fail(path: ConfigPath, problem: string): void {
    this.tell(this.at(path), problem)
  }

  private tell(where: string, problem: string): void {
    this.faults.push({ code: 'invalid-moe-config', text: `${where}: ${problem}` })
  }
}

const hasPrompts = ({ positivePrompts, negativePrompts }: ExpertConfig): boolean =>
  positivePrompts.length + negativePrompts.length > 0

const pathText = (path: ConfigPath): string =>
  path.map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`)).join('')

const isMapping = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isGiven = (value: unknown) => value !== undefined && value !== null
const show = (value: unknown): string => {
  if (!isGiven(value)) return 'missing'
  // JSON has no NaN and no infinity.
  if (typeof value === 'number') return String(value)
  return shortened(typeof value === 'string' ? `the text '${value}'` : JSON.stringify(value), 200)
}
