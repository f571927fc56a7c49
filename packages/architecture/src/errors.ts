export type ArchitectureIssue =
  | { readonly code: 'no-layer-count-key'; readonly module: string; readonly from: number; readonly to: number }
  | { readonly code: 'no-such-layer'; readonly module: string; readonly layer: number; readonly layerCount: number }

/** What can't be done with a model's architecture. Test `code`; `issue` carries what is needed to mend it. */
export class ArchitectureError extends Error {
  override readonly name = 'ArchitectureError'
  readonly issue: ArchitectureIssue

  constructor(issue: ArchitectureIssue) {
    super(messageOf(issue))
    this.issue = issue
  }

  get code(): ArchitectureIssue['code'] {
    return this.issue.code
  }
}

function messageOf(issue: ArchitectureIssue): string {
  switch (issue.code) {
    case 'no-layer-count-key':
      return `config.json: ${issue.module} has ${issue.to} layers instead of ${issue.from} now, but no key that holds the count is known; expected one such as num_hidden_layers with the value ${issue.from}`
    case 'no-such-layer':
      return `${issue.module}: there is no layer ${issue.layer}; expected 0 to ${issue.layerCount - 1}`
    default:
      return issue satisfies never
  }
}
