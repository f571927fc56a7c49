import { counted } from '@mk/errors'
import type { MergePlan, PreparedMerge, RuntimeSpecifier } from '@mk/merge'
import { formatBytes } from '../print/sizes.ts'
import { describeScreen } from '../print/style.ts'
import { wrapText } from '../print/wrap-text.ts'

interface PlanToWrite {
  readonly path: string
  readonly plan: MergePlan
  readonly methods: PreparedMerge['methods']
  readonly runtime: RuntimeSpecifier
  /** For norms, where weights follow from them. */
  readonly threads?: number | undefined
  readonly signal: AbortSignal
  readonly json: boolean
  readonly out: string | undefined
}

/** Writes a plan file, and tells what it is of. */
export async function writePlan({
  path,
  plan,
  methods,
  runtime,
  threads,
  signal,
  json,
  out,
}: PlanToWrite): Promise<void> {
  const { createPlanFile, writePlanFile } = await import('./merging-parts.ts')
  const file = await createPlanFile(plan, { methods, runtime, signal, ...(threads !== undefined && { threads }) })
  await writePlanFile(path, file)
  const writtenBytes = plan.files.reduce((sum, { fileBytes }) => sum + fileBytes, 0)
  const tensorCount = plan.tensors.length
  if (json) {
    const told = { version: 1, plan: path, id: file.id, tensorCount, fileCount: plan.files.length, writtenBytes }
    process.stdout.write(`${JSON.stringify(told)}\n`)
    return
  }
  const text = `${path}: the plan of ${counted(tensorCount, 'tensor')}, ${formatBytes(writtenBytes)} in ${counted(plan.files.length, 'file')}; mergekit-yaml --plan ${path} ${out ?? 'OUT'} --part 1/N makes a part of it, --finish completes it`
  process.stdout.write(`${wrapText(text, describeScreen(process.stdout).width, '  ')}\n`)
}
