import { createHash } from 'node:crypto'
import { fileState } from '@mk/checkpoint'
import type { MethodDefinition } from '@mk/methods'
import { sourceFiles } from '@mk/source'
import { MergeError } from '../errors.ts'
import { listMethods, type MergePlan, plannedModels, plannedSources } from '../plan/merge-plan.ts'
import { program } from '../program.ts'
import type { RuntimeSpecifier } from '../run/task.ts'
import { digestTensors } from './tensor-digest.ts'

/** What carries a plan out, besides the program itself. */
export interface MergeCode {
  /** Those of the plan, by the names that it has for them. */
  readonly methods: ReadonlyMap<string, MethodDefinition>
  readonly runtime: RuntimeSpecifier
}

/** What the elements of an output depend on. */
export interface PlanIdentity {
  /** Two runs that agree in it write the same elements. */
  readonly elements: string
  /** Two runs that agree in it write the same output, small files included. */
  readonly output: string
  /** The state of each file that is read. */
  readonly inputs: ReadonlyMap<string, string>
}

/**
 * Hashes the plan, the state of the files that it reads, and what carries it out: the version of the program, the code of the
 * methods, the runtime.
 */
export async function readPlanIdentity(plan: MergePlan, { methods, runtime }: MergeCode): Promise<PlanIdentity> {
  const inputs = new Map<string, string>()
  for (const file of sourceFiles(plannedSources(plan))) inputs.set(file, await stateOf(file))
  const ofMethods = listMethods(plan).map((name) => {
    const method = methods.get(name)
    return method?.code ?? String(method?.merge)
  })
  const code = [program.version, ...ofMethods, runtime.name, runtime.factory]
  const elements = hashOf([
    plan.method,
    plan.seed,
    plan.files,
    digestTensors(plan.tensors),
    plan.stages,
    [...inputs],
    code,
    plainOptions(runtime),
  ])
  return { elements, output: hashOf([elements, plan.documents, plan.copies]), inputs }
}

/** Checks that what was read for a plan is still what it was. @throws MergeError 'plan-outdated' */
export async function checkPlannedFor(plan: MergePlan): Promise<void> {
  for (const [file, planned] of plannedModels(plan).flatMap(({ states }) => Object.entries(states))) {
    const state = await fileState(file)
    if (state !== planned) throw new MergeError({ code: 'plan-outdated', file, isGone: state === undefined })
  }
}

/** Finds a file that is no longer what it was when the merge began; undefined where all are. */
export async function findChangedInput({ inputs }: PlanIdentity): Promise<string | undefined> {
  for (const [file, state] of inputs) if ((await stateOf(file)) !== state) return file
  return undefined
}

const hashOf = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex')

/** That it is gone is for the reader to report. */
const stateOf = async (file: string): Promise<string> => (await fileState(file)) ?? 'none'

/** Not memory that threads share to tell one another something. */
const plainOptions = ({ options = {} }: RuntimeSpecifier) =>
  Object.entries(options).filter(([, value]) => !ArrayBuffer.isView(value))
