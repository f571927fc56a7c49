import type { ModelConfig } from './layout.ts'

/** A model whose architecture is another than that of the first in the list. */
export interface ArchitectureDifference {
  /** Position in the list that was given. */
  readonly index: number
  readonly architecture: string | undefined
  /** That of the first. */
  readonly expected: string | undefined
}

/** What config.json says the model is: the class it names, else its model_type. */
export function architectureName(config: ModelConfig | undefined): string | undefined {
  const architectures = config?.['architectures']
  if (Array.isArray(architectures) && typeof architectures[0] === 'string') return architectures[0]
  const type = config?.['model_type']
  return typeof type === 'string' ? type : undefined
}

/** Which of the configs name another architecture than the first that names one. What says nothing differs from nothing. */
export function compareArchitectures(configs: readonly (ModelConfig | undefined)[]): readonly ArchitectureDifference[] {
  const names = configs.map(architectureName)
  const expected = names.find((name) => name !== undefined)
  return names.flatMap((architecture, index) =>
    architecture === undefined || architecture === expected ? [] : [{ index, architecture, expected }],
  )
}
