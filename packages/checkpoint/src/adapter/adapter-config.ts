import { isRecord } from '@mk/errors'
import { CheckpointError } from '../errors.ts'
import { createModulePattern } from './module-pattern.ts'

/** What adapter_config.json says about the strength of an adapter. */
export interface AdapterSettings {
  /** `fan_in_fan_out`: the model stores these weights as [in, out] (GPT-2's Conv1D). */
  readonly transposed: boolean
  /** Names of modules that were trained whole. */
  readonly modulesToSave: readonly string[]
  /** Rank and scale of the adapter of a module, by the module's name in the model. */
  ofModule(module: string): { readonly rank: number; readonly scale: number }
}

/**
 * Options of PEFT under which W + scale · B·A is not what the adapter means, and the values that leave them off. Some
 * change the arithmetic, some the model underneath.
 */
const refusedOptions = [
  'use_dora',
  'use_qalora',
  'use_bdlora',
  'lora_bias',
  'alora_invocation_tokens',
  'arrow_config',
  'kasa_config',
  'monteclora_config',
  'layer_replication',
  'trainable_token_indices',
  'target_parameters',
]

/** Ways to begin that also change the weights of the model: the adapter alone doesn't tell how. */
const refusedStarts = /^(pissa|olora|corda|loftq|lora_ga|mica)/

/**
 * Reads the text of an adapter_config.json, as PEFT 0.3 to 0.21 write it.
 * @throws `adapter-config`, `adapter-type`, `adapter-option`, `adapter-pattern`
 */
export function parseAdapterConfig(text: string, file: string): AdapterSettings {
  const fail = (problem: string, expected: string): never => {
    throw new CheckpointError({ code: 'adapter-config', file, problem, expected })
  }
  let config: unknown
  try {
    config = JSON.parse(text)
  } catch (cause) {
    throw new CheckpointError(
      { code: 'adapter-config', file, problem: 'it is no JSON', expected: 'the adapter_config.json of PEFT' },
      { cause },
    )
  }
  if (!isRecord(config)) return fail('it holds no object', 'the adapter_config.json of PEFT')

  const { peft_type: type, fan_in_fan_out: transposed = false, use_rslora: rootScaled = false, bias = 'none' } = config
  if (type !== 'LORA') throw new CheckpointError({ code: 'adapter-type', file, found: shown(type) })
  for (const option of refusedOptions) {
    if (!isOff(config[option]))
      throw new CheckpointError({ code: 'adapter-option', file, option, value: shown(config[option]) })
  }
  const start = config['init_lora_weights']
  if (typeof start === 'string' && refusedStarts.test(start)) {
    throw new CheckpointError({ code: 'adapter-option', file, option: 'init_lora_weights', value: start })
  }
  const flag = (name: string, value: unknown): boolean =>
    typeof value === 'boolean' ? value : value === null ? false : fail(`${name} is ${shown(value)}`, 'true or false')
  const isTransposed = flag('fan_in_fan_out', transposed)
  const isRootScaled = flag('use_rslora', rootScaled)
  if (!['none', 'all', 'lora_only'].includes(bias as string))
    fail(`bias is ${shown(bias)}`, "'none', 'all' or 'lora_only'")
  const saved = config['modules_to_save'] ?? []
  if (!Array.isArray(saved) || !saved.every((name) => typeof name === 'string'))
    return fail(`modules_to_save is ${shown(saved)}`, 'a list of names')

  const rank = (name: string, value: unknown): number =>
    Number.isSafeInteger(value) && (value as number) > 0
      ? (value as number)
      : fail(`${name} is ${shown(value)}`, 'an integer from 1')
  const alpha = (name: string, value: unknown): number =>
    Number.isFinite(value) ? (value as number) : fail(`${name} is ${shown(value)}`, 'a number')
  const byPattern = (option: string, check: (name: string, value: unknown) => number) => {
    const table = config[option] ?? {}
    if (!isRecord(table)) return fail(`${option} is ${shown(table)}`, 'an object of numbers by module')
    return Object.entries(table).map(([pattern, value]) => ({
      matches: createModulePattern(pattern, file),
      value: check(`${option}['${pattern}']`, value),
    }))
  }
  const defaultRank = rank('r', config['r'])
  const defaultAlpha = alpha('lora_alpha', config['lora_alpha'])
  const ranks = byPattern('rank_pattern', rank)
  const alphas = byPattern('alpha_pattern', alpha)

  return {
    transposed: isTransposed,
    modulesToSave: saved,
    ofModule(module) {
      const r = ranks.find(({ matches }) => matches(module))?.value ?? defaultRank
      const a = alphas.find(({ matches }) => matches(module))?.value ?? defaultAlpha
      return { rank: r, scale: a / (isRootScaled ? Math.sqrt(r) : r) }
    },
  }
}

const isOff = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === false ||
  (typeof value === 'object' && Object.keys(value).length === 0)

const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'missing'
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}
