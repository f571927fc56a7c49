import { dirname, parse, resolve } from 'node:path'
import { nodePlaces } from '@mk/checkpoint'
import { builtinMethods } from '@mk/methods'
import { openInputs } from '../open/open-inputs.ts'
import { type OutputVocabulary, unchangedVocabulary } from '../open/output-vocabulary.ts'
import { NoteList } from '../plan/notes.ts'
import type { PlanContext } from '../plan/plan-context.ts'
import type { MergePlan } from '../plan/merge-plan.ts'
import { program } from '../program.ts'
import { listAwaited } from '../prepare/awaited.ts'
import { downloadWeights } from '../prepare/download-weights.ts'
import { openLike, outputFormats } from '../prepare/output-formats.ts'
import { withFormat, withOutput } from '../prepare/output-kind.ts'
import type { PreparedMerge, PrepareSettings } from '../prepare/prepare-merge.ts'
import { refuseToken } from '../prepare/refuse-token.ts'
import type { Assembly, AssemblyRequest } from './assembly.ts'
import { planAssembly } from './plan-assembly.ts'

/**
 * Opens the models of an assembly as far as their headers, and plans it as a merge is planned: the same download, run, output folder and
 * formats follow.
 * @param options those of `prepareMerge`, but for the recipe
 * @throws CheckpointError, ArchitectureError, MergeError, and what the request throws
 */
export async function prepareAssembly(
  request: AssemblyRequest,
  options: PrepareSettings & { readonly file?: string | undefined },
): Promise<PreparedMerge> {
  const { file, seed = 0, shardBytes, copyTokenizer = true, writeModelCard = true } = options
  const { allowMixedArchitectures = false, lenient = false, hub, onDownload } = options
  const { method, recipe, locate } = request
  refuseToken(recipe.text, file)
  const config = withFormat(withOutput(request.config, options), 'safetensors')
  const folder = file === undefined ? process.cwd() : dirname(resolve(file))
  const roots = options.roots ?? [...new Set([process.cwd(), folder])]
  const opening = { roots, ...(hub && { hub }), ...(onDownload && { onProgress: onDownload }) }
  const inputs = await openInputs(nodePlaces, config, opening, locate)
  const like = options.ggufLike === undefined ? undefined : await openLike(nodePlaces, options.ggufLike, config, roots)
  const methods = new Map([...(options.methods ?? builtinMethods), [method.name, method]])
  options.onPlan?.()
  const assembly = await request.assemble(inputs, config)
  const vocabulary: OutputVocabulary = { ...unchangedVocabulary, ...assembly.vocabulary }
  const name = options.name ?? (file === undefined ? 'merged' : parse(file).name)
  const plan = async (of: Assembly): Promise<MergePlan> => {
    const heads = { different: new Set<number>(), unknown: new Set<number>() }
    const settings = { seed, shardBytes, copyTokenizer, writeModelCard, name: options.name }
    const allowed = { allowMixedArchitectures, lenient }
    const context: PlanContext = {
      config,
      inputs,
      methods: [method],
      methodCalled: () => method,
      notes: new NoteList(),
      textParts: new Set(),
      options: { ...settings, ...allowed, text: recipe.text, program, methods, vocabulary, heads },
    }
    const model = { config, inputs, methods, like, name, copyTokenizer, preTokenizer: options.preTokenizer }
    return outputFormats[config.outFormat](planAssembly(context, of, recipe), model)
  }
  const planned = await plan(assembly)
  return {
    config,
    inputs,
    methods,
    stages: [],
    plan: planned,
    warnings: planned.warnings,
    tokens: vocabulary.decisions,
    awaited: listAwaited(inputs.checkpoints),
    async download(downloading = {}) {
      await downloadWeights(inputs.checkpoints, planned, downloading)
      if (request.complete === undefined) return planned
      const { onCompute, out, runtime, threads } = downloading
      const completed = await request.complete(assembly, inputs, {
        ...(hub?.signal && { signal: hub.signal }),
        ...(runtime && { runtime }),
        ...(threads !== undefined && { threads }),
        ...(out !== undefined && { out }),
        ...(onCompute && { onProgress: onCompute }),
      })
      const { tensors, notes = [], warnings = [] } = completed
      return plan({
        ...assembly,
        tensors,
        notes: [...assembly.notes, ...notes],
        warnings: [...assembly.warnings, ...warnings],
      })
    },
    ...(request.release && { release: () => request.release!() }),
  }
}
