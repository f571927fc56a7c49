import type { MergeConfig } from '@mk/config'
import type { MergeInputs } from './merge-inputs.ts'

/** Says that the output has no tokenizer, since the donor has none, and which model's it can have. Where no input has one, nothing is lost. */
export function noteMissingTokenizer({ chatTemplate }: MergeConfig, inputs: MergeInputs): readonly string[] {
  const { labels, checkpoints, donor } = inputs
  const hasTokenizer = checkpoints.map(({ files }) => files.some(({ role }) => role === 'vocabulary'))
  if (hasTokenizer[donor] === true || checkpoints[donor]!.folder === undefined) return []
  const owner = labels.find((_, index) => hasTokenizer[index])
  if (owner === undefined && chatTemplate === undefined) return []
  const without =
    chatTemplate === undefined
      ? 'so the output has none'
      : 'so the output has none, and nothing that reads its chat template'
  const remedy =
    owner === undefined ? '' : `; 'tokenizer: {source: ${JSON.stringify(owner)}}' in the recipe takes that of ${owner}`
  return [`${labels[donor]} has no tokenizer, ${without}${remedy}`]
}
