import type { Checkpoint, OpenOptions } from '@mk/checkpoint'
import { type ModelPlaces, openCheckpointFrom } from '@mk/checkpoint/portable'
import { type ConfigPath, type MergeConfig, parseModelReference } from '@mk/config'
import { type MethodDefinition, tensorParameters } from '@mk/methods'
import { listMethodChoices, listParameterNames } from '@mk/params'
import { listValues } from '../plan/list-values.ts'
import { describeInput, renameLike } from './describe-input.ts'
import type { MergeInputs, ParameterFiles } from './merge-inputs.ts'
import { unpackExperts, unpackInputMatrices } from './unpack-experts.ts'

/** A file, and where the recipe names it. */
interface NamedFile {
  readonly label: string
  readonly parameter: string
  readonly path: ConfigPath
}

/** Lists the files that parameters of the recipe's methods name, each once, in the order of the recipe. */
function listFiles(config: MergeConfig, methods: ReadonlyMap<string, MethodDefinition>): readonly NamedFile[] {
  const used = listMethodChoices(config).flatMap(({ method }) => methods.get(method) ?? [])
  const names = new Set(used.flatMap((method) => tensorParameters(method)))
  if (names.size === 0) return []
  const found = listParameterNames(config).flatMap(({ name: parameter, setting, path }) =>
    names.has(parameter)
      ? [...listValues(setting, path)].flatMap(({ value, path }) =>
          typeof value === 'string' ? [{ label: value, parameter, path }] : [],
        )
      : [],
  )
  return found.filter(({ label }, index) => found.findIndex((other) => other.label === label) === index)
}

/**
 * Opens the files that parameters name as far as their headers, and gives their tensors the names and forms that the models' have.
 * @returns the inputs with them
 * @throws CheckpointError, ConfigError, MergeError 'experts-differ'
 */
export async function openParameterFiles(
  places: ModelPlaces,
  config: MergeConfig,
  {
    inputs,
    methods,
    options,
  }: {
    readonly inputs: MergeInputs
    readonly methods: ReadonlyMap<string, MethodDefinition>
    readonly options: OpenOptions
  },
): Promise<MergeInputs> {
  const files = listFiles(config, methods)
  if (files.length === 0) return inputs
  const opened: Checkpoint[] = []
  for (const { label, path } of files) {
    const where = inputs.locate(path)
    opened.push(
      await openCheckpointFrom(places, parseModelReference(label), { ...options, allowNoConfig: true, where }),
    )
  }
  const used = listMethodChoices(config).flatMap(({ method }) => methods.get(method) ?? [])
  const ofMatrices = new Set(used.flatMap((method) => tensorParameters(method, 'matrix')))
  const found: ParameterFiles = {
    labels: files.map(({ label }) => label),
    parameters: files.map(({ parameter }) => parameter),
    checkpoints: opened.map((checkpoint, i) => alignWith(inputs, checkpoint, ofMatrices.has(files[i]!.parameter))),
  }
  return { ...inputs, files: found }
}

/** What was computed of a model in memory has the names that it has there, which may be others than in its files. */
function alignWith({ checkpoints, layouts, donor }: MergeInputs, given: Checkpoint, isOfMatrices: boolean): Checkpoint {
  const checkpoint = checkpoints[donor]!
  const file = isOfMatrices ? unpackInputMatrices(given, checkpoint) : given
  const isAlike = [...file.tensors.keys()].every((name) => checkpoints.some(({ tensors }) => tensors.has(name)))
  if (isAlike || checkpoint.config === undefined) return file
  const [, unpacked] = unpackExperts([checkpoint, { ...file, config: checkpoint.config }])
  return renameLike({ checkpoint, layout: layouts[donor]! }, describeInput(unpacked!)).checkpoint
}
