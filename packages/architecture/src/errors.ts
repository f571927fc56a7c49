import { counted, defineError, defineIssues, type IssueOf, shortened, usage } from '@mk/errors'

const rules = defineIssues({
  'too-many-tensors': usage<{ readonly count: number; readonly limit: number }>(
    ({ count, limit }) => `the checkpoint has ${count} tensors; expected at most ${limit}`,
  ),
  'no-layer-count-key': usage<{ readonly module: string; readonly from: number; readonly to: number }>(
    ({ module, from, to }) =>
      `config.json: ${shortened(module)} has ${counted(to, 'layer')} instead of ${from} now, but no key that holds the count is known; expected one such as num_hidden_layers with the value ${from}`,
  ),
  'no-such-layer': usage<{ readonly module: string; readonly layer: number; readonly layerCount: number }>(
    ({ module, layer, layerCount }) =>
      `${shortened(module)}: there is no layer ${layer}; expected 0 to ${layerCount - 1}`,
  ),
})

/** What an ArchitectureError is about, by `code`. */
export type ArchitectureIssue = IssueOf<typeof rules>

/** Tells what can't be done with a model's architecture. Test `code`; `issue` carries what is needed to mend it. */
export class ArchitectureError extends defineError('ArchitectureError', rules) {}
