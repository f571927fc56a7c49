import { shortened } from '@mk/errors'
import { type MergePlan, type Operation, operationInputs, storedBytes, storedType } from '@mk/merge'
import { formatBytes } from './sizes.ts'

/** Longer than any name that is meant; what a terminal would act on is shown escaped. */
const longestName = 1000

/** Formats what `--dry-run` prints: inputs, files, and a line for each tensor with what its parameters resolve to. */
export function formatPlan(plan: MergePlan): string {
  const total = plan.tensors.reduce((sum, tensor) => sum + storedBytes(tensor), 0)
  const lines = [
    `method ${plan.method}, seed ${plan.seed}`,
    ...plan.inputs.map(({ label }, index) => `input ${index}: ${shortened(label, longestName)}`),
    ...plan.files.map(({ name, fileBytes }) => `file ${shortened(name, longestName)}: ${formatBytes(fileBytes)}`),
    ...[...plan.documents, ...plan.copies].map(({ name }) => `file ${shortened(name, longestName)}`),
    '',
    ...plan.tensors.map(
      (tensor) =>
        `${shortened(tensor.name, longestName)}  ${storedType(tensor)} [${tensor.shape.join(', ')}]  ${formatBytes(storedBytes(tensor))}  ${describeOperation(tensor.operation)}`,
    ),
    '',
    `${plan.tensors.length} tensors, ${formatBytes(total)}; nothing was written`,
  ]
  return `${lines.join('\n')}\n`
}

function describeOperation(operation: Operation): string {
  const inputs = operationInputs(operation)
    .map(({ input }) => input)
    .join(', ')
  switch (operation.kind) {
    case 'copy':
      return `copy of input ${inputs}`
    case 'merge':
      return `inputs ${inputs}  ${Object.entries(operation.parameters)
        .map(([name, value]) => `${name} ${formatValue(value)}`)
        .join('  ')}`
    case 'rows':
      return `inputs ${inputs}  rows by token`
    case 'slerp-rows':
      return `inputs ${inputs}  rows by token, slerp t ${formatValue(operation.t)}`
    default:
      return operation satisfies never
  }
}

function formatValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(formatValue).join(', ')}]`
  return typeof value === 'number' ? String(Number(value.toPrecision(6))) : String(value)
}
