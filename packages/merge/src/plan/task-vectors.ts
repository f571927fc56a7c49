import type { MethodInputs } from '@mk/methods'
import { type Expression, input, sub } from '@mk/tensor'
import type { FactorChange } from './merge-plan.ts'

/** What a method that works on whole matrices makes of task vectors. */
export type TaskVectorChange = Extract<FactorChange, { readonly kind: 'task-vectors' }>

/** Tells which inputs of a change are tensors of files: those after the models. */
export const filesOfChange = ({ parameters, files = [], modelCount, hasBase }: TaskVectorChange) => ({
  parameters,
  files,
  modelCount,
  firstSlot: modelCount + Number(hasBase),
})

const zero: Expression = { op: 'number', value: 0 }

/** Gives the models of a change as task vectors, over a base of zeros. */
export function taskVectors({ hasBase, modelCount }: TaskVectorChange, needsBase: boolean): MethodInputs {
  return {
    base: needsBase ? zero : undefined,
    models: Array.from({ length: modelCount }, (_, model) =>
      hasBase ? sub(input(1 + model), input(0)) : input(model),
    ),
  }
}
