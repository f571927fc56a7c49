import { parsePythonJson } from '@mk/checkpoint/portable'
import type { MergeConfig } from '@mk/config'
import { explainConversionNotice, hasFamilyMap, planConversion } from '@mk/gguf/convert'
import type { MethodDefinition } from '@mk/methods'
import { decodeText, readBytes } from '@mk/source'
import { MergeError } from '../errors.ts'
import type { MergeInputs } from '../open/merge-inputs.ts'
import { commonestDtype } from '../plan/plan-documents.ts'
import { planGguf } from '../plan/plan-gguf.ts'
import type { MergePlan } from '../plan/merge-plan.ts'
import { convertLikeDonor } from './convert-like-donor.ts'
import { learnFromDonor, type LikeCheckpoint } from './learn-from-donor.ts'
import { ggufType } from './output-kind.ts'
import { withChatTemplate } from './with-chat-template.ts'

/** Tokenizers of 260,000 tokens have some 35 MB. */
const longestFile = 2 ** 28
const texts = /\.(json|jinja)$/
const sentencePieceFile = 'tokenizer.model'

/** What the plan of a folder doesn't say of its model. */
export interface ModelFacts {
  readonly config: MergeConfig
  readonly inputs: MergeInputs
  /** All that the recipe may have named. */
  readonly methods: ReadonlyMap<string, MethodDefinition>
  /** A GGUF whose metadata is taken where the model has none, or whose tokenizer. */
  readonly like?: LikeCheckpoint | undefined
  /** Whether the output is to have a tokenizer; one that `like` gives, it has in any case. */
  readonly copyTokenizer: boolean
  /** For people. */
  readonly name: string
  /** llama.cpp's name of the way in which text is split, instead of the one that is recognized. */
  readonly preTokenizer?: string | undefined
}

/**
 * Turns the plan of a folder of safetensors into that of a GGUF: its small files, which nothing has written yet, say what the
 * metadata has to.
 * @throws ConversionError where a GGUF can't say what the model is; MergeError 'gguf-without-config', 'gguf-without-tokenizer'
 */
export async function convertToGguf(plan: MergePlan, model: ModelFacts): Promise<MergePlan> {
  const { config, inputs, name, preTokenizer, like, copyTokenizer } = model
  const donor = inputs.checkpoints[inputs.donor]!
  const own = donor.config === undefined ? donor.gguf : undefined
  if (own !== undefined) return convertLikeDonor(plan, like?.gguf ?? own, model)
  if (like !== undefined && plan.tensors.every((tensor) => like.tensors.has(tensor.name)))
    return convertLikeDonor(plan, like.gguf, model)
  const documents = new Map(plan.documents.map(({ name: file, text }) => [file, text]))
  for (const { name: file, from } of plan.copies)
    if (texts.test(file)) documents.set(file, decodeText(await readBytes(inputs.store, from, longestFile)))
  const configText = documents.get('config.json')
  if (configText === undefined) throw new MergeError({ code: 'gguf-without-config' })
  const modelConfig = parsePythonJson(configText) as Record<string, unknown>
  if (like !== undefined && !hasFamilyMap(modelConfig)) {
    if (inputs.checkpoints.some(({ downloadBytes = 0 }) => downloadBytes > 0))
      throw new MergeError({ code: 'gguf-like-pending' })
    return convertLikeDonor(plan, like.gguf, {
      ...model,
      learned: learnFromDonor(inputs.store, plan, like, modelConfig),
    })
  }
  if (!copyTokenizer && like === undefined) throw new MergeError({ code: 'gguf-without-tokenizer' })
  const sentencePiece = plan.copies.find(({ name: file }) => file === sentencePieceFile)
  const type = ggufType(config, commonestDtype(plan.tensors))
  const conversion = planConversion({
    config: modelConfig,
    tensors: plan.tensors.map(({ name: tensor, shape }) => ({ name: tensor, shape })),
    documents,
    ...(sentencePiece && { sentencePiece: await readBytes(inputs.store, sentencePiece.from, longestFile) }),
    type,
    name,
    ...(preTokenizer !== undefined && { preTokenizer }),
    ...(like && { tokenizer: withChatTemplate(like.gguf.metadata, config, plan) }),
  })
  const notes = conversion.notices.map(explainConversionNotice)
  return { ...planGguf(plan, conversion.plan, type), notes: [...plan.notes, ...notes] }
}
