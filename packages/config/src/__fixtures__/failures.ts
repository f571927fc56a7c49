import { Ajv } from 'ajv'
import { ConfigError } from '../errors.ts'
import { parseConfig, readConfig } from '../parse-config.ts'
import { configSchema } from '../schema/config-schema.ts'

/** Tells whether the JSON Schema accepts plain data. */
export const matchesSchema = new Ajv({ allowUnionTypes: true, strictTypes: false }).compile(configSchema())
/** What no schema sees: faults of the text, and values that don't fit to others. */
const beyondSchemas = ({ code, message }: ConfigError) =>
  ['invalid-yaml', 'several-documents', 'alias-limit'].includes(code) ||
  /the end is before the start|unknown key '[^']*' in input_model_parameters/.test(message)

/** The error that parsing ends with; the JSON Schema must refuse the same config. */
export function failureOf(text: string, file?: string): ConfigError {
  try {
    parseConfig(text, file === undefined ? {} : { file })
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    if (!beyondSchemas(error) && matchesSchema(readConfig(text).document))
      throw new Error(`the JSON Schema accepts what is refused with: ${error.message}`, { cause: error })
    return error
  }
  throw new Error('the config was accepted')
}

/** Its message, a line for each fault. */
export const faultsOf = (text: string): string[] => failureOf(text).message.split('\n')

/** A valid config with `lines` at the top level. */
export const withTop = (lines: string): string => `merge_method: linear\nmodels: [{model: a}]\n${lines}`
