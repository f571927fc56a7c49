import {
  type ConfigPath,
  formatModelReference,
  type ModelReference,
  type TokenEmbeddingConfig,
  type TokenizerConfig,
  type TokenizerSourceConfig,
} from '@mk/config'
import { TokenizerError } from '../errors.ts'

/** The tokenizer part of a merge config, its models given by their position among the inputs. */
export type TokenizerSetting =
  | { readonly kind: 'average-rows'; readonly source: TokenizerSource }
  | {
      readonly kind: 'complete-rows'
      readonly source: TokenizerSource
      readonly tokens: readonly TokenSetting[]
      readonly padToMultipleOf?: number
    }

/** Whose tokenizer the output gets: the base's, the union of all, or one model's. */
export type TokenizerSource =
  | { readonly kind: 'base' }
  | { readonly kind: 'union' }
  | { readonly kind: 'model'; readonly model: number }

/** What a recipe says of one token. */
export interface TokenSetting {
  readonly token: string
  readonly source?: TokenSource
  /** Take the source's row also where a model has one of its own. */
  readonly force: boolean
  readonly path?: ConfigPath
}

/** Where the embedding of a token comes from: a model's row of it or of another of its tokens, or zeros. */
export type TokenSource =
  | { readonly kind: 'model'; readonly model: number }
  | { readonly kind: 'model_token'; readonly model: number; readonly token: string }
  | { readonly kind: 'model_token'; readonly model: number; readonly tokenId: number }
  | { readonly kind: 'zero' }

/**
 * Finds the models that the tokenizer part of a merge config names.
 *
 * @param indexOf the position of a model among the inputs
 * @throws TokenizerError 'unknown-tokenizer-model', where the setting names a model that is none of the inputs
 */
export function resolveTokenizerSetting(
  config: TokenizerConfig,
  indexOf: (model: ModelReference) => number | undefined,
  known: readonly string[] = [],
): TokenizerSetting {
  const position = (model: ModelReference): number => {
    const index = indexOf(model)
    if (index === undefined)
      throw new TokenizerError({ code: 'unknown-tokenizer-model', model: formatModelReference(model), known })
    return index
  }
  const source = resolveSource(config.source, position)
  if (config.kind === 'average-rows') return { kind: 'average-rows', source }
  const tokens = config.tokens.map(({ token, source: tokenSource, force, path }): TokenSetting => ({
    token,
    force,
    path,
    ...(tokenSource && { source: resolveTokenSource(tokenSource, position) }),
  }))
  return {
    kind: 'complete-rows',
    source,
    tokens,
    ...(config.padToMultipleOf !== undefined && { padToMultipleOf: config.padToMultipleOf }),
  }
}

const resolveSource = (source: TokenizerSourceConfig, position: (model: ModelReference) => number): TokenizerSource =>
  source.kind === 'model' ? { kind: 'model', model: position(source.model) } : source

const resolveTokenSource = (source: TokenEmbeddingConfig, position: (model: ModelReference) => number): TokenSource =>
  source.kind === 'zero' ? source : { ...source, model: position(source.model) }
