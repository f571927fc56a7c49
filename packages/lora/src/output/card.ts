/** What the README.md of an adapter tells. */
export interface CardFacts {
  readonly fineTune: string
  readonly base: string
  readonly largestRank: number
  readonly decomposed: number
  /** Names of the modules saved whole. */
  readonly whole: readonly string[]
  readonly vocabulary: { readonly fine: number; readonly base: number } | undefined
  /** The share of the differences' squared norm that the factors hold. */
  readonly share: number
}

/** Writes the card of an adapter: what it is, how to load it, and what to know. */
export function adapterCard({ fineTune, base, largestRank, decomposed, whole, vocabulary, share }: CardFacts): string {
  const isPath = /^[./~]|\\|^[^/]*$|\/.*\//.test(base)
  const front = [
    '---',
    ...(isPath ? [] : [`base_model: ${JSON.stringify(base)}`]),
    'library_name: peft',
    'tags:',
    '- lora',
    '- mergekit',
    '---',
  ]
  const load = [
    '```python',
    'from peft import PeftModel',
    'from transformers import AutoModelForCausalLM',
    '',
    `base = AutoModelForCausalLM.from_pretrained(${JSON.stringify(base)})`,
    ...(vocabulary === undefined ? [] : [`base.resize_token_embeddings(${vocabulary.fine})`]),
    'model = PeftModel.from_pretrained(base, "path/to/this/folder")',
    '```',
  ]
  return [
    ...front,
    '',
    '# LoRA adapter',
    '',
    `The difference of \`${fineTune}\` from \`${base}\`: ${decomposed} modules as factors of rank ${largestRank} or less, which hold ${(100 * share).toFixed(1)} % of its squared norm.`,
    ...(whole.length === 0
      ? []
      : ['', `Saved whole, as they are in the fine-tune: ${whole.map((name) => `\`${name}\``).join(', ')}.`]),
    ...(vocabulary === undefined
      ? []
      : [
          '',
          `The fine-tune has ${vocabulary.fine} rows of embeddings, the base ${vocabulary.base}: resize them before the adapter is loaded.`,
        ]),
    '',
    ...load,
    '',
  ].join('\n')
}
