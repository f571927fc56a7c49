import type { GgufValue } from '../../metadata.ts'
import { type ConfigValues, isObject } from '../config-values.ts'
import { objectsOf } from './documents.ts'
import type { AddedToken } from './token-list.ts'

/** A role as files of transformers name it → as a GGUF does. */
const roles = [
  ['bos', 'tokenizer.ggml.bos_token_id'],
  ['eos', 'tokenizer.ggml.eos_token_id'],
  ['unk', 'tokenizer.ggml.unknown_token_id'],
  ['sep', 'tokenizer.ggml.seperator_token_id'],
  ['pad', 'tokenizer.ggml.padding_token_id'],
  ['cls', 'tokenizer.ggml.cls_token_id'],
  ['mask', 'tokenizer.ggml.mask_token_id'],
] as const

/**
 * Writes which tokens have a role, and which are put around a text: tokenizer_config.json counts, then config.json's ids, of
 * which the first counts where there are several.
 */
export function specialTokenMetadata(facts: {
  readonly settings: ConfigValues
  readonly tokenizer: ConfigValues
  readonly config: ConfigValues
  readonly added: readonly AddedToken[]
  /** Ids from here on have no token. */
  readonly rows: number
  /** Whether llama.cpp puts `bos` before a text where the file does not say. */
  readonly addsFirstToken: boolean
}): [string, GgufValue][] {
  const { settings, tokenizer, config, added } = facts
  const metadata: [string, GgufValue][] = []
  for (const [role, key] of roles) {
    const named = textOf(settings[`${role}_token`])
    const id = added.find(({ text }) => text === named)?.id ?? [config[`${role}_token_id`]].flat()[0]
    if (Number.isSafeInteger(id) && (id as number) >= 0 && (id as number) < facts.rows)
      metadata.push([key, { type: 'uint32', value: id as number }])
  }
  const bos = textOf(settings['bos_token'])
  const eos = textOf(settings['eos_token'])
  const { first, last } = aroundText(tokenizer)
  const adds = {
    bos: booleanOf(settings['add_bos_token']) ?? (first === undefined ? undefined : bos === undefined || first === bos),
    eos: booleanOf(settings['add_eos_token']) ?? (last === undefined ? undefined : eos === undefined || last === eos),
  }
  // tokenizer.json without a first token is silent, not undecided.
  const addsBos = adds.bos ?? (facts.addsFirstToken && tokenizer['model'] !== undefined ? false : undefined)
  if (addsBos !== undefined) metadata.push(['tokenizer.ggml.add_bos_token', { type: 'bool', value: addsBos }])
  if (adds.eos !== undefined) metadata.push(['tokenizer.ggml.add_eos_token', { type: 'bool', value: adds.eos }])
  return metadata
}

const textOf = (token: unknown): string | undefined => {
  const text = isObject(token) ? token['content'] : token
  return typeof text === 'string' ? text : undefined
}

const booleanOf = (value: unknown): boolean | undefined => (typeof value === 'boolean' ? value : undefined)

/** The special tokens that tokenizer.json's template puts before and behind a text. */
function aroundText(tokenizer: ConfigValues): {
  readonly first: string | undefined
  readonly last: string | undefined
} {
  const [processor] = objectsOf([tokenizer['post_processor']])
  const template = [processor, ...objectsOf(processor?.['processors'])].find(
    (part) => part?.['type'] === 'TemplateProcessing',
  )
  const single = objectsOf(template?.['single'])
  if (single.length < 2) return { first: undefined, last: undefined }
  const special = (part: ConfigValues | undefined): string | undefined => {
    const token = part?.['SpecialToken']
    return isObject(token) && typeof token['id'] === 'string' ? token['id'] : undefined
  }
  return { first: special(single[0]), last: special(single.at(-1)) }
}

/** Writes the chat template; of several, each under its name. */
export function chatTemplateMetadata(
  settings: ConfigValues,
  documents: ReadonlyMap<string, string>,
): [string, GgufValue][] {
  const given = documents.get('chat_template.jinja') ?? settings['chat_template']
  if (typeof given === 'string') return [['tokenizer.chat_template', { type: 'string', value: given }]]
  return objectsOf(given).flatMap(({ name, template }): [string, GgufValue][] =>
    typeof name !== 'string' || typeof template !== 'string'
      ? []
      : [
          [
            name === 'default' ? 'tokenizer.chat_template' : `tokenizer.chat_template.${name}`,
            { type: 'string', value: template },
          ],
        ],
  )
}
