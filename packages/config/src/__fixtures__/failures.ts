import { ConfigError } from '../errors.ts'
import { parseConfig } from '../parse-config.ts'

/** The error that parsing ends with. */
export function failureOf(text: string, file?: string): ConfigError {
  try {
    parseConfig(text, file === undefined ? {} : { file })
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error('the config was accepted')
}

/** Its message, a line for each fault. */
export const faultsOf = (text: string): string[] => failureOf(text).message.split('\n')

/** A valid config with `lines` at the top level. */
export const withTop = (lines: string): string => `merge_method: linear\nmodels: [{model: a}]\n${lines}`
