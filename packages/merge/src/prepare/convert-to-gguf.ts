import { parsePythonJson } from '@mk/checkpoint'
import type { MergeConfig } from '@mk/config'
import { explainConversionNotice, planConversion } from '@mk/gguf/convert'
import { readBytes } from '@mk/safetensors/node'
import { MergeError } from '../errors.ts'
import type { MergeInputs } from '../open/merge-inputs.ts'
import { commonestDtype } from '../plan/plan-documents.ts'
import { planGguf } from '../plan/plan-gguf.ts'
import type { MergePlan } from '../plan/merge-plan.ts'
import { convertLikeDonor } from './convert-like-donor.ts'
import { ggufType } from './output-kind.ts'

/** Tokenizers of 260,000 tokens have some 35 MB. */
const longestFile = 2 ** 28
const texts = /\.(json|jinja)$/
const sentencePieceFile = 'tokenizer.model'

/** What the plan of a folder doesn't say of its model. */
export interface ModelFacts {
  readonly config: MergeConfig
  readonly inputs: MergeInputs
  /** For people. */
  readonly name: string
  /** llama.cpp's name of the way in which text is split, instead of the one that is recognized. */
  readonly preTokenizer?: string | undefined
}

/**
 * Turns the plan of a folder of safetensors into that of a GGUF: its small files, which nothing has written yet, say what the
 * metadata has to.
 * @param name of the model, for people
 * @throws ConversionError where a GGUF can't say what the model is; MergeError 'gguf-without-config'
 */
export async function convertToGguf(plan: MergePlan, model: ModelFacts): Promise<MergePlan> {
  const { config, inputs, name, preTokenizer } = model
  const donor = inputs.checkpoints[inputs.donor]!
  if (donor.gguf !== undefined && donor.config === undefined) return convertLikeDonor(plan, donor.gguf, model)
  const documents = new Map(plan.documents.map(({ name: file, text }) => [file, text]))
  for (const { name: file, from } of plan.copies)
    if (texts.test(file)) documents.set(file, (await readBytes(from, longestFile)).toString('utf8'))
  const modelConfig = documents.get('config.json')
  if (modelConfig === undefined) throw new MergeError({ code: 'gguf-without-config' })
  const sentencePiece = plan.copies.find(({ name: file }) => file === sentencePieceFile)
  const type = ggufType(config, commonestDtype(plan.tensors))
  const conversion = planConversion({
    config: parsePythonJson(modelConfig) as Record<string, unknown>,
    tensors: plan.tensors.map(({ name: tensor, shape }) => ({ name: tensor, shape })),
    documents,
    ...(sentencePiece && { sentencePiece: await readBytes(sentencePiece.from, longestFile) }),
    type,
    name,
    ...(preTokenizer !== undefined && { preTokenizer }),
  })
  const notes = conversion.notices.map(explainConversionNotice)
  return { ...planGguf(plan, conversion.plan, type), notes: [...plan.notes, ...notes] }
}
