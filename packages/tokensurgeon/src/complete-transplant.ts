import { availableParallelism } from 'node:os'
import { fileState } from '@mk/checkpoint'
import { counted } from '@mk/errors'
import type { CompletedAssembly, CompletionOptions } from '@mk/merge'
import { wasmRuntime } from '@mk/merge/run'
import { sourceFiles, type TensorSource } from '@mk/source'
import {
  type Models,
  planMatrices,
  type PlannedMatrix,
  planTensors,
  type TransplantAssembly,
  type TransplantFacts,
} from './assemble-transplant.ts'
import { SurgeonError } from './errors.ts'
import type { UntrainedTokens } from './plan-rows.ts'
import { rotationOf, type VocabularyModel } from './read-models.ts'
import { type ComputedRows, computeRows, type ComputeTools, type MatrixRequest } from './run/compute-rows.ts'
import { createPool, type SurgeonPool } from './run/pool.ts'
import { openScratch, type Scratch } from './run/scratch.ts'
import { sharedIntegers } from './run/task.ts'
import { createFinder } from './vocabulary/match-tokens.ts'
import { createSplitter, splitTokens } from './vocabulary/split-texts.ts'

/** What is known of a finished computation, beside its files. */
interface Facts {
  readonly untrained?: { readonly model: readonly number[]; readonly donor: readonly number[] }
  readonly computed: readonly ComputedRows[]
}

/** A transplant with its rows, and what is to be deleted when they are written. */
export interface CompletedTransplant extends CompletedAssembly {
  readonly scratch: Scratch | undefined
}

/** Computes the rows that MODEL lacks, once the weights are here. @throws SurgeonError; SourceError for weights that can't be read */
export async function completeTransplant(
  assembly: TransplantAssembly,
  facts: TransplantFacts & { readonly seed: number },
  options: CompletionOptions,
): Promise<CompletedTransplant> {
  const { models, matrices } = assembly
  const { settings } = facts
  if (matrices.every(({ rows }) => rows === undefined || (rows.targets.length === 0 && !settings.magikarp)))
    return { tensors: assembly.tensors, scratch: undefined }
  const scratch = await openScratch(await identityOf(assembly, facts, options), options.out)
  try {
    const known = scratch.finished === undefined ? undefined : (JSON.parse(scratch.finished) as Facts)
    const found = known ?? (await compute(assembly, facts, { options, scratch }))
    if (known === undefined) await scratch.finish(JSON.stringify(found))
    const final = found.untrained === undefined ? matrices : planMatrices(models, settings, tokenSets(found.untrained))
    const fileOf = (matrix: PlannedMatrix): TensorSource => {
      const { path, rows, width } = found.computed[final.indexOf(matrix)]!.file
      return { kind: 'file', file: path, byteStart: 0, dtype: 'F32', shape: [rows, width] }
    }
    return {
      tensors: planTensors(models, final, facts, fileOf),
      scratch,
      ...tell(models, final, found),
    }
  } catch (error) {
    await scratch.discard()
    throw error
  }
}

/** All that rows depend on. */
async function identityOf(
  { models, matrices }: TransplantAssembly,
  { settings, seed }: TransplantFacts & { readonly seed: number },
  { runtime = wasmRuntime }: CompletionOptions,
): Promise<string> {
  const sources = matrices.flatMap(({ model, donor }) => [model.source, donor.source])
  const states = await Promise.all(sourceFiles(sources).map(async (file) => [file, await fileState(file)]))
  // How many are made at once changes nothing.
  const { batchSize: _, ...deciding } = settings
  const tokens = [models.model, models.donor].map(({ tokenizer }) => [...tokenizer.ids])
  const plans = matrices.map(({ side, rows }) => [side, rows?.segments, rows?.shared])
  return JSON.stringify([1, deciding, seed, sources, states, tokens, plans, runtime.name, runtime.factory])
}

interface Computing {
  readonly options: CompletionOptions
  readonly scratch: Scratch
}

async function compute(
  assembly: TransplantAssembly,
  { settings, seed }: TransplantFacts & { readonly seed: number },
  { options, scratch }: Computing,
): Promise<Facts> {
  const { models } = assembly
  const { runtime = wasmRuntime, threads = availableParallelism(), signal, onProgress } = options
  const pool = createPool({ threads, runtime, signal })
  const tools: ComputeTools = { pool, scratch, onProgress }
  try {
    onProgress?.({ label: 'reading the vocabularies' })
    const untrained = settings.magikarp ? await findUntrained(models, pool) : undefined
    const matrices = untrained ? planMatrices(models, settings, tokenSets(untrained)) : assembly.matrices
    const computed: ComputedRows[] = []
    for (const matrix of matrices) {
      const request = requestOf(models, matrix, { settings, seed })
      computed.push(await computeRows(request, tools, matrix.side === 'embed' ? 'the embedding' : 'the head'))
    }
    return { computed, ...(untrained && { untrained }) }
  } finally {
    await pool.close()
  }
}

function requestOf(
  models: Models,
  { side, model, donor, rows }: PlannedMatrix,
  { settings, seed }: Pick<TransplantFacts, 'settings'> & { readonly seed: number },
): MatrixRequest {
  const { targets, shared } = rows!
  const donorRows = donor.source.shape[0]!
  return {
    work: {
      name: model.name,
      isHead: side === 'lm_head',
      model: model.source,
      donor: donor.source,
      targets: sharedIntegers(targets.map(({ id }) => (id < donorRows ? id : -1))),
      settings,
      seed,
    },
    shared,
    labels: { model: models.model.label, donor: models.donor.label },
    ...(settings.method === 'subword' && { pieces: piecesOf(models.model, targets, model.source.shape[0]!) }),
    ...(settings.method === 'mp_rope' && {
      rotations: { donor: rotationOf(models.donor), model: rotationOf(models.model) },
    }),
  }
}

function piecesOf(
  { tokenizer, tokens, label }: VocabularyModel,
  targets: Parameters<typeof splitTokens>[0],
  rows: number,
) {
  try {
    const finder = createFinder(tokens)
    const byte = { id: -1, token: '', roles: [] }
    const idOfByte = (text: string) =>
      finder.exact({ ...byte, text, kind: 'byte' }) ?? finder.exact({ ...byte, text, kind: 'text' })
    const { starts, ids } = splitTokens(targets, createSplitter(tokenizer), { idOfByte, rows })
    return { starts: sharedIntegers(starts), ids: sharedIntegers(ids) }
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause)
    throw new SurgeonError({ code: 'surgeon-pieces', model: label, problem }, { cause })
  }
}

const unusedNames = /unused_token|reserved_special_token/

/** Finds the tokens of both models that look untrained in any of their matrices. */
async function findUntrained({ model, donor }: Models, pool: SurgeonPool): Promise<NonNullable<Facts['untrained']>> {
  const of = async ({ tokens, embedding, head }: VocabularyModel): Promise<number[]> => {
    const found = new Set<number>()
    for (const { source } of head === undefined ? [embedding] : [embedding, head]) {
      const rows = source.shape[0]!
      const used = new Set(tokens.filter(({ token }) => !unusedNames.test(token)).map(({ id }) => id))
      const unused = Array.from({ length: rows }, (_, row) => row).filter((row) => !used.has(row))
      const byNorm = head !== undefined && source === embedding.source
      const flags = await pool.run({ kind: 'untrained', source, unused: sharedIntegers(unused), byNorm })
      flags.forEach((flag, row) => {
        if (flag === 1) found.add(row)
      })
    }
    return [...found]
  }
  return { model: await of(model), donor: await of(donor) }
}

const tokenSets = ({ model, donor }: NonNullable<Facts['untrained']>): UntrainedTokens => ({
  model: new Set(model),
  donor: new Set(donor),
})

function tell(
  { model, donor }: Models,
  matrices: readonly PlannedMatrix[],
  { computed, untrained }: Facts,
): Pick<CompletedAssembly, 'notes' | 'warnings'> {
  const warnings = computed.flatMap(({ failed, notFinite }, index) => {
    const { model: own, rows } = matrices[index]!
    const names = failed.map((place) => JSON.stringify(rows!.targets[place]!.token))
    return [
      ...(failed.length === 0
        ? []
        : [
            `${own.name}: ${counted(failed.length, 'new row')} could not be made, and ${failed.length === 1 ? 'is' : 'are'} zeros: ${donor.label} has no finite row for ${names.slice(0, 3).join(', ')}${names.length > 3 ? ` and ${names.length - 3} more` : ''}, or what they are made of is not finite`,
          ]),
      ...(notFinite === 0
        ? []
        : [
            `${own.name}: ${counted(notFinite, 'shared token')} with infinite values or NaN ${notFinite === 1 ? 'is' : 'are'} not among those that new rows are made of`,
          ]),
    ]
  })
  const notes =
    untrained === undefined
      ? []
      : [
          `${untrained.model.length} rows of ${model.label} and ${untrained.donor.length} of ${donor.label} look untrained; ${matrices.map(({ rows, model: { name } }) => `${name}: ${counted(rows!.targets.length, 'new row')}`).join(', ')}`,
        ]
  return { warnings, notes }
}
