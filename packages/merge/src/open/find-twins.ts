import type { MergeConfig, SourceConfig } from '@mk/config'
import type { MergeInputs } from './merge-inputs.ts'

/**
 * Finds models that are merged with themselves under another name: a folder by two paths, or by a link. What is named twice by
 * one name is told before anything is opened.
 * @returns a warning for each, with file, line and column
 */
export async function findTwins({ modules }: MergeConfig, inputs: MergeInputs): Promise<readonly string[]> {
  const folders = await Promise.all(
    inputs.checkpoints.map(({ folder }) =>
      folder === undefined ? undefined : inputs.store.realPath(folder).catch(() => folder),
    ),
  )
  const placeOf = ({ model, layerRange }: SourceConfig): string | undefined => {
    const folder = folders[inputs.indexOf(model)]
    return folder && JSON.stringify([folder, model.adapters, layerRange])
  }
  return modules.flatMap(({ slices }) =>
    slices.flatMap(({ sources }) =>
      sources.flatMap((source, index) => {
        const place = placeOf(source)
        const input = inputs.indexOf(source.model)
        const twin = sources
          .slice(0, index)
          .find((other) => place !== undefined && placeOf(other) === place && inputs.indexOf(other.model) !== input)
        if (twin === undefined) return []
        const where = inputs.locate([...source.path, 'model'])
        return [
          `${where}: ${inputs.labels[input]!} is the same folder as ${inputs.labels[inputs.indexOf(twin.model)]!}: it is merged with itself`,
        ]
      }),
    ),
  )
}
