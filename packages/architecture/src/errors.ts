import { defineError, defineIssues, type IssueOf, usage } from '@mk/errors'

interface LayerCountFacts {
  readonly module: string
  readonly from: number
  readonly to: number
}

interface LayerFacts {
  readonly module: string
  readonly layer: number
  readonly layerCount: number
}

const rules = defineIssues({
  'no-layer-count-key': usage<LayerCountFacts>(
    ({ module, from, to }) =>
      `config.json: ${module} has ${to} layers instead of ${from} now, but no key that holds the count is known; expected one such as num_hidden_layers with the value ${from}`,
  ),
  'no-such-layer': usage<LayerFacts>(
    ({ module, layer, layerCount }) => `${module}: there is no layer ${layer}; expected 0 to ${layerCount - 1}`,
  ),
})

/** What can't be done with a model's architecture: one variant per rule. */
export type ArchitectureIssue = IssueOf<typeof rules>

/** Every failure of this package. */
export class ArchitectureError extends defineError('ArchitectureError', rules) {}
