import { createMethodContext, embeddingSlerp, type MethodDefinition } from '@mk/methods'
import { elementCount } from '@mk/safetensors'
import { createArraySession, type DenseMatrix, input, type Session } from '@mk/tensor'
import { createReferenceRuntime, type Runtime } from '@mk/tensor/runtime'
import { differenceCacheBytes } from '../run/task.ts'
import { filesOf, withFiles } from '../run/tensor-expression.ts'
import { inputSideOf, worksOnMatrices } from './check-matrices.ts'
import { type MatrixWork, recordMatrixWork } from './matrix-cost.ts'
import { type Operation, operationInputs, type PlannedTensor } from './merge-plan.ts'
import { filesOfChange, taskVectors } from './task-vectors.ts'

/**
 * Counts how often a merge goes through a tensor: once for each stage of the reductions that its method asks for, and once to write; what
 * is looked at of a sample doesn't count. It
 * lets the method merge a few numbers of the same kind, so that what depends on the values (the steps of a mean on the sphere) is as
 * for models that differ a little.
 * @param method of a tensor that is merged
 * @throws what the method throws
 */
export async function countPasses(
  method: MethodDefinition | undefined,
  { name, shape, operation }: Pick<PlannedTensor, 'name' | 'shape' | 'operation'>,
): Promise<Passes> {
  if (elementCount(shape) === 0) return { passes: 0 }
  const inputs = operationInputs(operation)
  const named = new Set(operation.kind === 'merge' ? Object.values(operation.tensors ?? {}).flat() : [])
  const inputSide = inputSideOf(operation)
  const readMatrix = async () => identity(inputSide === 'rows' ? rows : columns)
  const small = elementCount(shape) === 1 ? [1] : shape.length < 2 ? [rows * columns] : [rows, columns]
  const { runtime, calls: allCalls } = countCalls()
  const arrays = createArraySession({
    shape: small,
    inputs: Array.from({ length: inputs.length }, (_, slot) => ({
      dtype: 'F32',
      bytes: noise(elementCount(small), slot, named.has(inputs[slot]!)),
    })),
    runtime,
  })
  const { session, saved } = countSelections(arrays, allCalls)
  const calls = () => allCalls() - saved()
  const work = recordMatrixWork(method?.matrices === 'columns' && inputSide === 'columns' ? columns : rows)
  const runLinalg = work.linalg(async (job) => (await import('@mk/linalg')).carryOut(job, runtime))
  const plain = createMethodContext(session, {
    tensorName: name,
    seed: 0,
    warn: () => {},
    inputSide,
    runLinalg,
    readMatrix,
  })
  const isOfMatrices = worksOnMatrices(method, { name, shape, operation })
  const context = isOfMatrices ? work.context(plain) : plain
  let matrices: MatrixWork | undefined
  switch (operation.kind) {
    case 'copy':
    case 'rows':
    case 'other-factor':
      return { passes: 1 }
    case 'factors': {
      const { change } = operation
      if (change.kind !== 'task-vectors') return { passes: isMadeAnew(operation) ? streamedPasses : 1 }
      const vectors = taskVectors(change, method!.base !== 'none')
      const result = await method!.merge(vectors, withFiles(filesOfChange(change), method!), context)
      return { passes: calls() + streamedPasses, matrices: work.finish(result) }
    }
    case 'slerp-rows': {
      const [a, b] = [0, 1].map((slot) => ({ tensor: input(slot), presence: new Float32Array(rows).fill(1) }))
      await embeddingSlerp(a!, b!, operation.t, context)
      break
    }
    case 'merge': {
      const first = operation.base === undefined ? 0 : 1
      const base = operation.base === undefined ? undefined : input(0)
      const models = operation.models.map((_, model) => input(first + model))
      const result = await method!.merge({ base, models }, withFiles(filesOf(operation), method!), context)
      if (isOfMatrices) matrices = work.finish(result)
      break
    }
    default:
      operation satisfies never
  }
  return { passes: calls() + 1, ...(matrices && { matrices }) }
}

/**
 * Passes that selections take of a tensor of many elements beside a look at a sample, as the table of docs/performance.md counts them: of
 * the few numbers that are merged here nothing can be guessed, so that they take others.
 */
const selectionPasses = { largest: 1, largestShare: 1, kthLargest: 1 }

/** Watches selections. @returns as `saved` how many calls they have taken more here than they take of many elements */
function countSelections(session: Session, calls: () => number): { readonly session: Session; saved(): number } {
  let saved = 0
  const watched = async <T>(kind: keyof typeof selectionPasses, select: () => Promise<T>): Promise<T> => {
    const before = calls()
    const selected = await select()
    const taken = calls() - before
    // What is all or nothing takes none.
    if (taken > 0) saved += taken - selectionPasses[kind]
    return selected
  }
  return {
    saved: () => saved,
    session: {
      ...session,
      largest: (requests) => watched('largest', () => session.largest(requests)),
      largestShare: (request, summed) => watched('largestShare', () => session.largestShare(request, summed)),
      kthLargest: (value, ranks) => watched('kthLargest', () => session.kthLargest(value, ranks)),
    },
  }
}

/** As many as a decomposition mostly takes of a difference that is too large to be kept. */
const streamedPasses = 8

const isMadeAnew = ({ change, inputs }: Extract<Operation, { readonly kind: 'factors' }>): boolean =>
  change.kind === 'difference' && 4 * elementCount(inputs[0]!.source.shape) > differenceCacheBytes / 2

const [rows, columns] = [8, 32]

/** In the place of matrices that files have. */
const identity = (size: number): DenseMatrix => ({
  rows: size,
  columns: size,
  values: Float64Array.from({ length: size ** 2 }, (_, i) => Number(i % (size + 1) === 0)),
})

/** How often a tensor is gone through, and what is computed of its matrices where that is what the method does. */
interface Passes {
  readonly passes: number
  readonly matrices?: MatrixWork
}

/** The numbers of one input: those of all models are alike, as those of one family are, and those of parameters' files positive. */
function noise(count: number, slot: number, isPositive: boolean): Uint8Array {
  const values = Float32Array.from(
    { length: count },
    (_, i) => Math.sin(i * 12.9898) + 0.1 * Math.sin(i * 78.233 + slot) + (isPositive ? 2 : 0),
  )
  return new Uint8Array(values.buffer)
}

function countCalls(): { readonly runtime: Runtime; readonly calls: () => number } {
  const reference = createReferenceRuntime()
  let calls = 0
  const runtime: Runtime = {
    ...reference,
    async compile(program) {
      const kernel = await reference.compile(program)
      return {
        run(call) {
          calls++
          return kernel.run(call)
        },
      }
    },
  }
  return { runtime, calls: () => calls }
}
