import { join } from 'node:path'
import type { Checkpoint } from '@mk/checkpoint'
import { readBytes } from '@mk/safetensors/node'
import type { ExpertConfig } from '../config/moe-config.ts'
import { MoeError } from '../errors.ts'
import type { PromptTokens } from '../gates/prompted-rows.ts'

/** Tokenizers of 260,000 tokens have some 35 MB. */
const longestFile = 2 ** 28

const files = { tokenizer: 'tokenizer.json', settings: 'tokenizer_config.json' } as const

/** Checks that there is a tokenizer that prompts can be read with. @throws MoeError 'moe-tokenizer' */
export function checkTokenizer({ folder, files: present }: Checkpoint, model: string): void {
  if (folder === undefined || !present.some(({ name }) => name === files.tokenizer))
    throw new MoeError({ code: 'moe-tokenizer', model, problem: `it has no ${files.tokenizer}` })
}

/**
 * Makes token ids of prompts: the token of the beginning, where the tokenizer has one, and the text, without what the tokenizer would add.
 * @param rows of the embedding
 * @throws MoeError 'moe-tokenizer', 'moe-token'
 */
export async function tokenizePrompts(
  experts: readonly ExpertConfig[],
  { folder }: Checkpoint,
  { model, rows }: { readonly model: string; readonly rows: number },
): Promise<readonly PromptTokens[]> {
  const read = async (name: string): Promise<Record<string, unknown>> =>
    JSON.parse((await readBytes(join(folder!, name), longestFile)).toString('utf8')) as Record<string, unknown>
  const { encode, begin } = await openTokenizer(read, model)
  const idsOf = (prompt: string): readonly number[] => {
    const ids = encode(begin + prompt)
    const token = ids.find((id) => id >= rows)
    if (token !== undefined) throw new MoeError({ code: 'moe-token', model, token, rows })
    if (ids.length === 0)
      throw new MoeError({ code: 'moe-tokenizer', model, problem: 'a prompt is without a token; expected some text' })
    return ids
  }
  return experts.map(({ positivePrompts, negativePrompts }) => ({
    positive: positivePrompts.map(idsOf),
    negative: negativePrompts.map(idsOf),
  }))
}

interface OpenTokenizer {
  /** Written before each text. */
  readonly begin: string
  encode(text: string): readonly number[]
}

async function openTokenizer(
  read: (name: string) => Promise<Record<string, unknown>>,
  model: string,
): Promise<OpenTokenizer> {
  try {
    const { Tokenizer } = await import('@huggingface/tokenizers')
    const settings = await read(files.settings).catch(() => ({}) as Record<string, unknown>)
    const tokenizer = new Tokenizer(await read(files.tokenizer), settings)
    return {
      begin: contentOf(settings['bos_token']),
      encode: (text) => tokenizer.encode(text, { add_special_tokens: false }).ids,
    }
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause)
    throw new MoeError({ code: 'moe-tokenizer', model, problem }, { cause })
  }
}

/** Tokens are written as text, or as an object that has it. */
function contentOf(token: unknown): string {
  if (typeof token === 'string') return token
  const content = typeof token === 'object' && token !== null ? (token as { content?: unknown }).content : undefined
  return typeof content === 'string' ? content : ''
}
