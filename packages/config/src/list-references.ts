import type { ConfigPath, MergeConfig, ModelReference } from './merge-config.ts'

/** A model, and where a config names it. */
export interface NamedModel {
  readonly reference: ModelReference
  readonly path: ConfigPath
}

/** Lists all models that a config names, in the order of the YAML; a base of the whole comes first where it is in no list. */
export function listReferences({ modules, baseModel, tokenizer }: MergeConfig): NamedModel[] {
  const listed = modules.flatMap(({ slices }) =>
    slices.flatMap((slice) => [
      ...slice.sources.map(({ model, path }) => ({ reference: model, path: [...path, 'model'] })),
      ...(slice.baseModel ? [{ reference: slice.baseModel, path: [...slice.path, 'base_model'] }] : []),
    ]),
  )
  const base = baseModel === undefined ? [] : [{ reference: baseModel, path: ['base_model'] }]
  const ofTokenizer =
    tokenizer?.source.kind === 'model'
      ? [
          {
            reference: tokenizer.source.model,
            path: tokenizer.kind === 'average-rows' ? ['tokenizer_source'] : ['tokenizer', 'source'],
          },
        ]
      : []
  const ofTokens =
    tokenizer?.kind === 'complete-rows'
      ? tokenizer.tokens.flatMap(({ source, token }) =>
          source !== undefined && source.kind !== 'zero'
            ? [{ reference: source.model, path: ['tokenizer', 'tokens', token, 'source'] }]
            : [],
        )
      : []
  return [...base, ...listed, ...ofTokenizer, ...ofTokens]
}

/** Lists a model itself, or what a sum is made of, sums within it among them. */
export function listSummands(named: NamedModel): NamedModel[] {
  const { sum } = named.reference
  if (sum === undefined) return [named]
  const parts = [
    { reference: sum.base, path: [...named.path, 'base'] },
    ...sum.plus.map(({ model }, index) => ({ reference: model, path: [...named.path, 'plus', index, 'model'] })),
  ]
  return parts.flatMap(listSummands)
}
