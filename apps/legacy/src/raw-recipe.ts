import { formatPlace, type ParsedConfig, readConfig, stringifyYaml } from '@mk/config'
import { LegacyError } from './errors.ts'

/** What becomes of tensors that not all files have. */
export type RawMissing = 'skip' | 'others'

interface RawOptions {
  readonly file: string
  /** Absent: what the file says, else an error. */
  readonly missing?: RawMissing | undefined
}

/** What is there only where layers and tokens are known. */
const keysOfModels = ['slices', 'modules', 'tokenizer', 'tokenizer_source', 'chat_template']

/**
 * Makes a recipe of a file of `mergekit-pytorch`, which is one already, but for what the command line says of tensors that not all files
 * have. The places of what the file says stay what they are, as far as its style lets them.
 * @returns the recipe, in YAML
 * @throws LegacyError 'not-in-raw-recipe', 'missing-twice'; where the text is no recipe, whoever reads it says so
 */
export function rawRecipe(text: string, { file, missing }: RawOptions): string {
  const { document, locate } = read(text, file)
  if (!isMapping(document)) return text
  const where = (key: string) => formatPlace(file, locate([key], 'key'))
  for (const key of keysOfModels)
    if (isGiven(document[key])) throw new LegacyError({ code: 'not-in-raw-recipe', key, where: where(key) })
  if (missing === undefined) return text
  const known = document['missing']
  if (known === missing) return text
  if (isGiven(known)) throw new LegacyError({ code: 'missing-twice', where: where('missing'), found: known, missing })
  const whole = { ...document, missing }
  const longer = `${text.replace(/\n*$/, '\n')}missing: ${missing}\n`
  return isSame(longer, whole, file) ? longer : stringifyYaml(whole)
}

function read(text: string, file: string): Pick<ParsedConfig, 'document' | 'locate'> {
  try {
    return readConfig(text, { file })
  } catch {
    return { document: undefined, locate: () => undefined }
  }
}

/** Whether a line could be added: not after braces, nor after the end of the document. */
const isSame = (text: string, expected: unknown, file: string): boolean =>
  JSON.stringify(read(text, file).document) === JSON.stringify(expected)

const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isGiven = (value: unknown) => value !== undefined && value !== null
