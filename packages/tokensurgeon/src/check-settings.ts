import { SurgeonError } from './errors.ts'
import {
  approximationMethods,
  defaultSettings,
  matchChoices,
  subwordMethods,
  type SurgeonSettings,
  usesK,
  weightSchemes,
} from './settings.ts'

/** Fills in defaults, and checks what is given. @throws SurgeonError 'surgeon-setting' */
export function checkSettings(given: Partial<SurgeonSettings>): SurgeonSettings {
  const settings: SurgeonSettings = { ...defaultSettings, ...given }
  const refuse = (setting: string, value: unknown, expected: string): never => {
    throw new SurgeonError({ code: 'surgeon-setting', setting, value, expected })
  }
  const oneOf = (setting: string, value: string, choices: readonly string[]) => {
    if (!choices.includes(value)) refuse(setting, value, `one of ${choices.join(', ')}`)
  }
  oneOf('the approximation method', settings.method, approximationMethods)
  oneOf('the weight scheme', settings.weightScheme, weightSchemes)
  oneOf('the subword method', settings.subwordMethod, subwordMethods)
  oneOf('the prefix match', settings.prefixMatch, matchChoices)
  oneOf('the byte match', settings.byteMatch, matchChoices)
  const { k, method, batchSize, newVocabNoise, newVocabScale } = settings
  if (usesK(method) && !(Number.isInteger(k) && k >= 1 && k <= mostAtoms))
    refuse('k', k, `a whole number from 1 to ${mostAtoms}: the shared tokens that '${method}' makes a row of`)
  if (!Number.isInteger(batchSize)) refuse('the batch size', batchSize, 'a whole number')
  if (!(Number.isFinite(newVocabNoise) && newVocabNoise >= 0))
    refuse('the noise on new rows', newVocabNoise, 'a number from 0 on, the standard deviation')
  if (!Number.isFinite(newVocabScale)) refuse('the scale of new rows', newVocabScale, 'a number')
  return settings
}

/** More would not fit into memory with the rows of a large vocabulary. */
const mostAtoms = 4096
