import { createHash } from 'node:crypto'
import { builtinMethods, type MethodDefinition, sumOfModels } from '@mk/methods'
import { sourceFiles } from '@mk/source'
import { MergeError } from '../errors.ts'
import { checkPlannedFor } from '../output/plan-identity.ts'
import { listMethods, type MergePlan, plannedModels, plannedSources } from '../plan/merge-plan.ts'
import { groupWeights } from '../plan/weight-groups.ts'
import { program } from '../program.ts'
import { type RuntimeSpecifier, wasmRuntime } from '../run/task.ts'
import { type CountProgress, weighPlan } from '../run/weights-by-norm.ts'
import { inParallel } from './in-parallel.ts'
import { describeInputFile, type InputFile } from './input-files.ts'
import { packPlan, type PackedPlan } from './pack-plan.ts'

/** A plan with all that carrying it out elsewhere needs to know: what a plan file says. */
export interface PlanFile {
  /** SHA-256 of all the rest but the time: two plan files with the same one write the same output. */
  readonly id: string
  /** When it was made, as ISO 8601 has it. */
  readonly madeAt: string
  /** The version of the program that made it; another one may compute other bits. */
  readonly program: string
  readonly runtime: PlannedRuntime
  /** Those that are not built in. */
  readonly methods: readonly PlannedMethod[]
  /** All that the plan reads, and what lay beside it when it was made. */
  readonly files: readonly InputFile[]
  readonly plan: MergePlan
}

/** What computes, but for where its module is. */
export interface PlannedRuntime {
  readonly name: string
  readonly mode?: string
}

/** A method of one's own: by its name in the plan, and by its code. */
export interface PlannedMethod {
  readonly name: string
  readonly code: string
  /** The file that it came from, if from one. */
  readonly module?: string
}

/** What carries a plan out. */
export interface PlanCode {
  /** Those that the plan was made with; the built-in ones if absent. */
  readonly methods?: ReadonlyMap<string, MethodDefinition>
  /** What is to compute; the default is WebAssembly. */
  readonly runtime?: RuntimeSpecifier
}

/** A plan file as JSON, but for the marks at its beginning. */
export interface PlanBody extends Omit<PlanFile, 'id' | 'madeAt' | 'plan'> {
  readonly plan: PackedPlan
}

/** What a plan file begins with; `id` and `madeAt` follow. */
export const planFormat = { format: 'mk-plan', version: 1 } as const

/** Beside what carries the plan out, how many threads count norms where weights follow from them; by default as many as there are cores. */
export interface PlanFileOptions extends PlanCode {
  readonly threads?: number
  readonly signal?: AbortSignal
  /** Of norms that are counted, and at no other time. */
  readonly onCounted?: (progress: CountProgress) => void
}

/**
 * Makes a plan file of a plan: looks at all files that it reads, without reading more of them than samples. Only where weights follow from
 * norms it goes through all that they are for, so that all parts have the same numbers.
 * @throws what `weighPlan` throws; MergeError 'plan-outdated' where an input has changed since it was planned for; SourceError 'unreadable-file'
 */
export async function createPlanFile(
  given: MergePlan,
  { methods = builtinMethods, runtime = wasmRuntime, ...counting }: PlanFileOptions = {},
): Promise<PlanFile> {
  const plan = await withWeights(given, { methods, runtime, ...counting })
  const paths = new Set([
    ...sourceFiles(plannedSources(plan)),
    ...plan.copies.map(({ from }) => from),
    ...plannedModels(plan).flatMap(({ states }) => Object.keys(states)),
  ])
  await checkPlannedFor(plan)
  const files = await inParallel([...paths], (path) => describeInputFile(path))
  await checkPlannedFor(plan)
  const file = {
    program: program.version,
    runtime: plannedRuntime(runtime),
    methods: ownMethods(plan, methods),
    files,
    plan,
  }
  return { id: idOf(packBody(file)), madeAt: new Date().toISOString(), ...file }
}

/** Puts numbers in the place of weights that follow from norms. */
async function withWeights(
  plan: MergePlan,
  { methods, runtime, threads, signal, onCounted }: PlanFileOptions & Required<PlanCode>,
): Promise<MergePlan> {
  if (groupWeights(plan).length === 0) return plan
  const { openPoolFor } = await import('../node/open-pool.ts')
  const pool = await openPoolFor(plan, { runtime, ...(threads !== undefined && { threads }) })
  try {
    return (await weighPlan(plan, { methods, pool, signal, onCounted })).plan
  } finally {
    await pool.close()
  }
}

/** Gives a plan file the form that it has as JSON. */
function packBody({ program: version, runtime, methods, files, plan }: Omit<PlanFile, 'id' | 'madeAt'>): PlanBody {
  const indices = new Map(files.map(({ path }, index) => [path, index]))
  return { program: version, runtime, methods, files, plan: packPlan(plan, (path) => indices.get(path)!) }
}

/** Gives the text of a plan file: one line of JSON. */
export function formatPlanFile(file: PlanFile): string {
  const { id, madeAt } = file
  return `${JSON.stringify({ ...planFormat, id, madeAt, ...packBody(file) })}\n`
}

/** Hashes a plan file as JSON. */
export const idOf = (body: PlanBody): string => createHash('sha256').update(JSON.stringify(body)).digest('hex')

/**
 * Checks that what is to carry a plan out computes the same bits as what it was made for.
 * @throws MergeError 'plan-program', 'plan-runtime', 'plan-method'
 */
export function checkPlanCode({ program: planned, runtime, methods, plan }: PlanFile, code: Required<PlanCode>): void {
  if (planned !== program.version) throw new MergeError({ code: 'plan-program', planned, found: program.version })
  const found = plannedRuntime(code.runtime)
  if (runtime.name !== found.name || runtime.mode !== found.mode)
    throw new MergeError({ code: 'plan-runtime', planned: runtimeLabel(runtime), found: runtimeLabel(found) })
  const here = new Map(ownMethods(plan, code.methods).map((method) => [method.name, method.code]))
  for (const { name, code: expected } of methods)
    if (here.get(name) !== expected) throw new MergeError({ code: 'plan-method', method: name, isHere: here.has(name) })
}

const plannedRuntime = ({ name, options }: RuntimeSpecifier): PlannedRuntime => {
  const mode = options?.['mode']
  return { name, ...(typeof mode === 'string' && { mode }) }
}

/** As `--device` has it. */
export const runtimeLabel = ({ name, mode }: PlannedRuntime): string => (mode === undefined ? name : `${name}:${mode}`)

function ownMethods(plan: MergePlan, methods: ReadonlyMap<string, MethodDefinition>): readonly PlannedMethod[] {
  return listMethods(plan).flatMap((name) => {
    const method = methods.get(name)
    if (method === undefined || builtinMethods.get(name) === method || method === sumOfModels) return []
    const { file: module } = method
    return [{ name, code: method.code ?? String(method.merge), ...(module !== undefined && { module }) }]
  })
}
