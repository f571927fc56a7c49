import { architectureName } from './compare-architectures.ts'
import { familyFacts, familyOf } from './families.ts'
import { type CheckpointLayout, embeddingNames, headNames, type KeyPath, type ModelConfig } from './layout.ts'
import { isPart, settingAt } from './settings.ts'

/** Heads of families that call theirs otherwise than `lm_head`, by `model_type`. */
const headNamesByFamily: Readonly<Record<string, string>> = {
  albert: 'predictions.decoder.weight',
  bert: 'cls.predictions.decoder.weight',
  camembert: 'lm_head.decoder.weight',
  chatglm: 'transformer.output_layer.weight',
  deberta: 'cls.predictions.decoder.weight',
  'deberta-v2': 'cls.predictions.decoder.weight',
  distilbert: 'vocab_projector.weight',
  electra: 'generator_lm_head.weight',
  gpt_neox: 'embed_out.weight',
  internlm2: 'output.weight',
  modernbert: 'decoder.weight',
  roberta: 'lm_head.decoder.weight',
  rwkv: 'head.weight',
  whisper: 'proj_out.weight',
  'xlm-roberta': 'lm_head.decoder.weight',
  xlnet: 'lm_loss.weight',
}

/** The name under which transformers looks for the head of a language model that no longer ties it. */
export function untiedHeadName(layout: CheckpointLayout): string {
  const family = layout.family ?? ''
  if (Object.hasOwn(headNamesByFamily, family)) return headNamesByFamily[family]!
  // Vision models saved before transformers 4.52 keep the language model whole under a prefix.
  const outer = /^(.*language_model\.)(?:model|transformer)\./.exec(embeddingNames(layout)[0] ?? '')?.[1] ?? ''
  return `${outer}lm_head.weight`
}

/** Whether the class that config.json names has a head over the vocabulary, stored or tied; unnamed classes have. */
export function hasHead(config: ModelConfig | undefined): boolean {
  const name = architectureName(config) ?? ''
  if (/LMHead|DoubleHeads/.test(name)) return true
  return !/Model$|For(?:Sequence|Token|Image|Audio|Video)Classification|QuestionAnswering|MultipleChoice|RewardModel/.test(
    name,
  )
}

const key = 'tie_word_embeddings'
/** The keys of config.json under which the language part of a larger model has its settings. */
export const languageParts = ['text_config', 'llm_config', 'language_config', 'decoder', 'thinker_config']

/**
 * Whether head and token embedding are one matrix: as config.json says it, else as the family does by default, else (with
 * `layout`, also where two places of config.json contradict each other) when an embedding is stored and no head. A stored head may still differ from the embedding: only its values tell.
 */
export function isTied(config: ModelConfig | undefined, layout?: CheckpointLayout): boolean {
  const byTensors =
    layout !== undefined && embeddingNames(layout).length > 0 ? headNames(layout).length === 0 : undefined
  const said = new Set(tiePaths(config).map((path) => settingAt(config, path)))
  // Loaders disagree on which of two contrary places decides.
  return said.size > 1 && byTensors !== undefined ? byTensors : (tiedByConfig(config) ?? byTensors ?? false)
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

/** Whether every place of config.json that says it, or the family where none does, says the same. */
export function saysTied(config: ModelConfig | undefined, tied: boolean): boolean {
  const paths = tiePaths(config)
  return paths.length === 0 ? tiedByConfig(config) === tied : paths.every((path) => settingAt(config, path) === tied)
}

/** Where to write it: wherever it is written already, and at the top. */
export function tiePathsToWrite(config: ModelConfig): readonly KeyPath[] {
  const parts = tiePaths(config).filter((path) => path.length > 1)
  const text: KeyPath[] = isPart(config['text_config']) && parts.length === 0 ? [['text_config', key]] : []
  return [[key], ...parts, ...text]
}
