import { familyFacts, familyOf } from './families.ts'
import { type CheckpointLayout, embeddingNames, headNames, type KeyPath, type ModelConfig } from './layout.ts'
import { isPart, settingAt } from './settings.ts'

/** The name under which transformers looks for the head of a language model that no longer ties it. */
export const untiedHeadName = 'lm_head.weight'

const key = 'tie_word_embeddings'
const languageParts = ['text_config', 'llm_config', 'language_config', 'decoder', 'thinker_config']

/**
 * Whether head and token embedding are one matrix: as config.json says it, else as the family does by default, else (with
 * `layout`) when an embedding is stored and no head. A stored head may still differ from the embedding: only its values tell.
 */
export function isTied(config: ModelConfig | undefined, layout?: CheckpointLayout): boolean {
  return (
    tiedByConfig(config) ??
    (layout !== undefined && embeddingNames(layout).length > 0 && headNames(layout).length === 0)
  )
}

/** As config.json says it, else as the family does by default; undefined for a family that nobody knows. */
export function tiedByConfig(config: ModelConfig | undefined): boolean | undefined {
  const [said] = tiePaths(config)
  return said === undefined ? familyFacts(familyOf(config)).tied : settingAt(config, said) === true
}

/** Where config.json says whether embeddings are tied; the first place decides. */
function tiePaths(config: ModelConfig | undefined): readonly KeyPath[] {
  const paths: KeyPath[] = [[key], ...languageParts.map((part) => [part, key])]
  return paths.filter((path) => typeof settingAt(config, path) === 'boolean')
}

/** Where to write it: wherever it is written already, and at the top. */
export function tiePathsToWrite(config: ModelConfig): readonly KeyPath[] {
  const parts = tiePaths(config).filter((path) => path.length > 1)
  const text: KeyPath[] = isPart(config['text_config']) && parts.length === 0 ? [['text_config', key]] : []
  return [[key], ...parts, ...text]
}
