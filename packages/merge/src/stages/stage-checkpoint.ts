import type { Checkpoint, CheckpointFile, JsonDocument } from '@mk/checkpoint'
import { fileRole, parsePythonJson } from '@mk/checkpoint/portable'
import { type TensorSource, withUnroundedRows } from '@mk/source'
import { isFloat } from '../plan/dtypes.ts'
import type { MergeInputs } from '../open/merge-inputs.ts'
import type { MergePlan, PlannedStage, PlannedTensor } from '../plan/merge-plan.ts'

/** A merge that has a plan as if it were to be written. */
export interface StagePlan {
  readonly name: string
  readonly plan: MergePlan
  readonly inputs: MergeInputs
  /** Whether its tensors are rounded to the dtype that they would be written in; else they are delivered in float32. */
  readonly rounds: boolean
}

/**
 * Makes of a planned merge the checkpoint that its folder would be, without weights: its tensors are computed when they are read, its
 * small files are those that would be written.
 */
export function stageCheckpoint(stage: StagePlan): Checkpoint {
  const { name, plan, inputs } = stage
  const donor = inputs.checkpoints[inputs.donor]!
  const documents = documentsOf(plan, donor)
  const config = documents.get('config.json')?.value
  return {
    reference: { path: name, adapters: [] },
    folder: config === undefined ? undefined : name,
    hub: undefined,
    config,
    documents,
    files: filesOf(plan),
    tensors: new Map(plan.tensors.map((tensor) => [tensor.name, sourceOf(stage, tensor)])),
    states: new Map(),
    notes: [],
  }
}

/** Gives the tensors of a planned merge as those of a stage, in the dtypes in which they are delivered. */
export function stageTensors(stage: StagePlan): PlannedStage['tensors'] {
  return stage.plan.tensors.map(({ name, dtype, shape, operation }) => ({
    name,
    dtype: deliveredDtype(stage, dtype),
    shape,
    operation,
  }))
}

const deliveredDtype = ({ rounds }: StagePlan, dtype: PlannedTensor['dtype']) =>
  rounds || !isFloat(dtype) ? dtype : 'F32'

/** What would be copied as it is, is read where it lies. */
function sourceOf(stage: StagePlan, { name, dtype, shape, operation }: PlannedTensor): TensorSource {
  if (operation.kind === 'copy') {
    const { source } = operation.input
    if (source.dtype === dtype && withUnroundedRows(source) === source) return source
  }
  return {
    kind: 'merged',
    stage: stage.name,
    tensor: name,
    dtype: deliveredDtype(stage, dtype),
    shape,
    storedAs: dtype,
  }
}

function filesOf({ documents, copies }: MergePlan): CheckpointFile[] {
  const places = [
    ...documents.map(({ name, text }) => ({ name, elsewhere: { text } })),
    ...copies.map(({ name, from }) => ({ name, elsewhere: { file: from } })),
  ]
  return places
    .flatMap(({ name, elsewhere }) => {
      const role = fileRole(name)
      return role === undefined ? [] : [{ name, role, elsewhere }]
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

const documentNames = ['config.json', 'generation_config.json'] as const

function documentsOf({ documents, copies }: MergePlan, donor: Checkpoint): Map<JsonDocument['name'], JsonDocument> {
  return new Map(
    documentNames.flatMap((name): [JsonDocument['name'], JsonDocument][] => {
      const text = documents.find((document) => document.name === name)?.text
      if (text !== undefined) return [[name, { name, text, value: parsePythonJson(text) as JsonDocument['value'] }]]
      const copied = copies.some((copy) => copy.name === name) ? donor.documents.get(name) : undefined
      return copied === undefined ? [] : [[name, copied]]
    }),
  )
}
