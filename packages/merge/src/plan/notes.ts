import { sayUnreadable, type UnreadableStack } from './issues.ts'
import { listNames, listNumbers } from './list-names.ts'

/** Puts in words, code by code, what a person should know though the output is right. Models go by their labels. */
const texts = {
  'ignored-parameter': ({ where, parameter, method }: ParameterFacts) =>
    `${where}: ${method} has no parameter '${parameter}'; it is ignored`,
  'ignored-for-one-model': ({ where, parameter }: ParameterFacts) =>
    `${where}: '${parameter}' holds for all models, so it is ignored here; write it under the 'parameters' of the top level`,
  'text-part': ({ text, whole, isDonor }: TextPartFacts) =>
    `${text} is a text model with the layers of the language part of ${whole}: only that part is merged${isDonor ? `, and what ${text} lacks is taken from ${whole}` : ''}`,
  'text-part-lacks': ({ names, from, models }: CopyFacts & { readonly models: string }) =>
    `${listNames(names)}: taken from ${from}, since ${models} as a text model lacks ${names.length === 1 ? 'it' : 'them'}`,
  'rows-completed': ({ name, model, rows, donor }: RowsFacts) =>
    `${name} of ${model}: rows ${rows[0]} to ${rows[1]}, which ${model} as a text model lacks, are taken from ${donor}`,
  'rows-weighed-alike': ({ name, rule }: { readonly name: string; readonly rule: string }) =>
    `${name}: its rows are averaged by token under tokenizer_source, with equal weights, since ${rule} tells nothing of rows that models may lack; write numbers there with a filter for other ones`,
  'module-left-out': ({ module, donor }: ModuleFacts) =>
    `the config says nothing of module ${module}; it is taken from ${donor}`,
  'module-lacking': ({ module, donor, model }: ModuleFacts & { readonly model: string }) =>
    `${model} has no module ${module}; it is taken from ${donor}`,
  'head-of-another-model': ({ donor, model }: HeadFacts) =>
    `${tied(donor)}, but the head is to come from ${model}; the output is not tied`,
  'head-differs': ({ donor, model }: HeadFacts) =>
    `${tied(donor)}, but the head of ${model} is another matrix; the output is not tied`,
  'head-from-embedding': ({ model }: HeadFacts) =>
    `${tied(model)}; what follows the last layers comes from it, so its embedding is written as the head`,
  'tied-as-merged': ({ donor, model }: HeadFacts) =>
    `${tied(model)}, which ${donor} does not; the output is tied as what is merged is`,
  'head-not-compared': ({ donor, model }: HeadFacts) =>
    `${tied(donor)}; whether the head that ${model} carries is the same is known when it is downloaded, until then it is taken to be`,
  'head-not-written': ({ model, names }: { readonly model: string; readonly names: readonly string[] }) =>
    `${model}: ${listNames(names)} is the same as its embedding, to which the output's head is tied; not written`,
  'buffer-copied': ({ names, from }: CopyFacts) => `${listNames(names)}: no weights, so not merged; taken from ${from}`,
  'integers-copied': ({ names, from, dtype, model }: CopyFacts & { readonly dtype: string; readonly model: string }) =>
    `${listNames(names)}: ${dtype} values of ${model} are not merged; taken from ${from}`,
  'copied-from-one': ({ names, from }: CopyFacts) =>
    `${listNames(names)}: only ${from} has ${names.length === 1 ? 'it' : 'them'}, so copied from there`,
  'missing-from-base': ({ names, from, models }: CopyFacts & { readonly models: string }) =>
    `${listNames(names)}: taken from ${from}, since ${models} lacks ${names.length === 1 ? 'it' : 'them'} and the recipe says 'missing: base'`,
  'missing-left-out': ({ names, models }: { readonly names: readonly string[]; readonly models: string }) =>
    `${listNames(names)}: left out, since ${models} lacks ${names.length === 1 ? 'it' : 'them'} and the recipe has 'missing'`,
  'missing-from-others': ({ names, models }: { readonly names: readonly string[]; readonly models: string }) =>
    `${listNames(names)}: ${models} lacks ${names.length === 1 ? 'it' : 'them'}, so made without, as the recipe says 'missing: others'`,
  'averaged-without': ({ method, names }: { readonly method: string; readonly names: readonly string[] }) =>
    `${listNames(names)}: averaged by weight, since no file that ${method} is given has a matrix for ${names.length === 1 ? 'it' : 'them'}`,
  'base-alone': ({ model, method }: { readonly model: string; readonly method: string }) =>
    `${method} has nothing to merge into ${model} where it is the only source and the base; it is taken as it is`,
  'cut-to-common': ({ name, model, shape, common }: CutFacts) =>
    `${name} of ${model} is cut from [${shape.join(', ')}] to [${common.join(', ')}], which all models have`,
  'cut-to-each-other': ({ embedding, head, rowCount }: CutToEachOtherFacts) =>
    `${embedding} and ${head} come from models of different vocabularies; both are cut to ${rowCount} rows`,
  'layers-moved': ({ settings }: { readonly settings: readonly string[] }) =>
    `layers changed their places, but config.json decides by a layer's number what it is (${settings.join(', ')}); check that the kinds still fit`,
  'stack-unreadable': ({ stack }: { readonly stack: UnreadableStack }) => sayUnreadable(stack),
  'settings-differ': ({ key, donor, value, models, other }: SettingFacts) =>
    `config.json: ${key} is ${value} in ${donor}, which the output has, and ${other} in ${models.join(', ')}; tensors of both kinds mean something else`,
  'nothing-used': ({ model, isDonor }: { readonly model: string; readonly isDonor: boolean }) =>
    `${model} ${isDonor ? 'only gives its config and tokenizer' : 'is not merged, its tokenizer may be used'}: none of its tensors is in the output`,
  'layers-not-used': ({ model, layers, module }: LayersFacts) =>
    `${model}: ${layers.length === 1 ? 'layer' : 'layers'} ${listNumbers(layers)}${module === '' ? '' : ` of ${module}`} not used`,
  'tensors-not-used': ({ model, names }: { readonly model: string; readonly names: readonly string[] }) =>
    `${model}: ${listNames(names)} not used`,
  'file-left-out': ({ file, disguise }: { readonly file: string; readonly disguise: string }) =>
    `${file} ${disguise}; it is left out`,
  'of-stage': ({ stage, text }: { readonly stage: string; readonly text: string }) => `${stage}: ${text}`,
  /** In the words of the package that read the model. */
  'of-checkpoint': ({ text }: { readonly text: string }) => text,
  /** In the words of the package that knows config.json. */
  'of-config': ({ text }: { readonly text: string }) => text,
  'of-layout': ({ model, text }: { readonly model: string; readonly text: string }) => `${model}: ${text}`,
}

interface ParameterFacts {
  readonly where: string
  readonly parameter: string
  readonly method: string
}

interface TextPartFacts {
  readonly text: string
  readonly whole: string
  /** Whether the whole gives the output's config. */
  readonly isDonor: boolean
}

interface RowsFacts {
  readonly name: string
  readonly model: string
  readonly donor: string
  /** First and last. */
  readonly rows: readonly [number, number]
}

interface ModuleFacts {
  readonly module: string
  readonly donor: string
}

interface HeadFacts {
  readonly donor: string
  readonly model: string
}

interface CopyFacts {
  readonly names: readonly string[]
  readonly from: string
}

interface CutFacts {
  readonly name: string
  readonly model: string
  readonly shape: readonly number[]
  readonly common: readonly number[]
}

interface CutToEachOtherFacts {
  readonly embedding: string
  readonly head: string
  readonly rowCount: number
}

interface SettingFacts {
  readonly key: string
  readonly donor: string
  /** As JSON. */
  readonly value: string
  readonly other: string
  readonly models: readonly string[]
}

interface LayersFacts {
  readonly model: string
  readonly layers: readonly number[]
  /** '' where the model has but one. */
  readonly module: string
}

const tied = (donor: string) => `${donor} ties its head to its embedding`

type NoteTexts = typeof texts

/** A note as data: its code, and the facts that its text needs. */
export type MergeNote = {
  [Code in keyof NoteTexts]: { readonly code: Code } & Parameters<NoteTexts[Code]>[0]
}[keyof NoteTexts]

/** Puts a note in words. */
const noteText = (note: MergeNote): string => (texts[note.code] as (facts: MergeNote) => string)(note)

/** Collects notes in the order in which they come up, none twice. */
export class NoteList {
  private readonly byText = new Set<string>()

  add(note: MergeNote): void {
    this.byText.add(noteText(note))
  }

  texts(): string[] {
    return [...this.byText]
  }
}
