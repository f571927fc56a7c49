import type { Checkpoint, HubOrigin, ModelLicense } from '@mk/checkpoint'
import { counted, shortened } from '@mk/errors'
import type { MethodDefinition } from '@mk/methods'
import { nameOfPath } from '@mk/source'
import { listStagesOf, type MergeInputs } from '../open/merge-inputs.ts'
import { weightsMark } from './card-weights.ts'
import { listMethods, type MergePlan, methodOf } from './merge-plan.ts'
import { ggufFileName } from './output-names.ts'
import type { PlanContext } from './plan-context.ts'
import { findRuleOf } from './weight-groups.ts'

/** What a card says of the output, beside what the context has. */
export interface CardFacts {
  readonly method: MergePlan['method']
  readonly tensors: MergePlan['tensors']
  /** Names of the small files that the output gets. */
  readonly fileNames: ReadonlySet<string>
  /** Whether a tokenizer is among them. */
  readonly hasTokenizer: boolean
  /** config.json of the output, where it is not that of the donor, as far as loading goes. */
  readonly config?: Readonly<Record<string, unknown>>
}

/** One model or adapter, as the card names it. */
interface Ingredient {
  readonly label: string
  readonly hub: HubOrigin | undefined
  readonly license?: ModelLicense
}

/** The place where hub models are looked at. */
const pages = 'https://huggingface.co'

/**
 * Writes a README.md in the hub's model card format: what was merged, how, under which licenses, how to load it, what a person
 * should know, and the recipe to do it again.
 */
export function modelCard(context: PlanContext, facts: CardFacts): string {
  const sections = [
    title(context),
    ingredients(context),
    methods(context, facts),
    licenses(context),
    loading(context, facts),
    notes(context),
    recipeText(context),
  ]
  return `${frontMatter(context).join('\n')}\n\n${sections.filter((section) => section !== '').join('\n\n')}\n`
}

function frontMatter({ config, inputs }: PlanContext): string[] {
  const models = listModels(inputs)
  // An adapter is for one model, whatever it was merged from.
  const named = isAdapter(config) ? [{ checkpoint: inputs.checkpoints[inputs.donor]! }] : models
  const hubModels = [...new Set(named.flatMap(({ checkpoint: { hub } }) => hub?.id ?? []))]
  const isModel = inputs.checkpoints[inputs.donor]!.config !== undefined
  const license = commonLicense(models.map(({ checkpoint }) => checkpoint))
  return [
    '---',
    ...(hubModels.length > 0
      ? [
          'base_model:',
          ...hubModels.map((name) => `- ${name}`),
          `base_model_relation: ${isAdapter(config) ? 'adapter' : 'merge'}`,
        ]
      : []),
    ...(isGguf(config)
      ? ['library_name: gguf']
      : isAdapter(config)
        ? ['library_name: peft']
        : isModel
          ? ['library_name: transformers']
          : []),
    ...(license === undefined ? [] : [`license: ${license.id}`]),
    ...(license?.name === undefined ? [] : [`license_name: ${JSON.stringify(license.name)}`]),
    ...(license?.link !== undefined && address.test(license.link)
      ? [`license_link: ${JSON.stringify(license.link)}`]
      : []),
    'tags:',
    '- mergekit',
    '- merge',
    ...(isGguf(config) ? ['- gguf'] : []),
    ...(isAdapter(config) ? ['- lora'] : []),
    '---',
  ]
}

function title({ config, inputs, options: { name, program } }: PlanContext): string {
  const made = `mk ${program.version}`
  const tool = program.homepage === undefined ? made : `[${made}](${program.homepage})`
  const what = isAdapter(config)
    ? `A LoRA adapter for ${code(inputs.labels[inputs.donor]!)}: what a merge changes in it`
    : 'A merge of language models'
  const unnamed = isAdapter(config) ? 'Merged adapter' : 'Merged model'
  return `# ${name === undefined ? unnamed : asText(name)}\n\n${what}, made with ${tool}.`
}

function ingredients({ config, inputs }: PlanContext): string {
  const lines = inputs.checkpoints.map((checkpoint, index) => {
    const role = config.baseModel !== undefined && index === inputs.donor ? ' (base model)' : ''
    return `${ingredient(inputs, checkpoint, index)}${role}`
  })
  const merges = listStagesOf(inputs).flatMap((stage) => [
    '',
    `${code(stage.name)} is a merge by ${stage.methods.map(({ name }) => asText(name)).join(', ')}:`,
    '',
    ...stage.inputs.checkpoints.map((checkpoint, index) => ingredient(stage.inputs, checkpoint, index)),
  ])
  return ['## Models', '', ...lines, ...merges].join('\n')
}

const ingredient = ({ labels }: MergeInputs, checkpoint: Checkpoint, index: number): string =>
  `- ${partsOf(checkpoint, labels[index]!).map(linked).join(' with the adapter ')}`

/** The models that everything is made of, each once, with what the recipe calls them. */
function listModels(inputs: MergeInputs): readonly { readonly checkpoint: Checkpoint; readonly label: string }[] {
  const all = [inputs, ...listStagesOf(inputs).map((stage) => stage.inputs)].flatMap(
    ({ checkpoints, labels, stages }) =>
      checkpoints.flatMap((checkpoint, index) =>
        stages?.[index] === undefined || checkpoint.reference.adapters.length > 0
          ? [{ checkpoint, label: labels[index]! }]
          : [],
      ),
  )
  return all.filter(({ label }, index) => all.findIndex((other) => other.label === label) === index)
}

/** The model, and the adapters over it. */
function partsOf({ hub, license, adapters = [], reference }: Checkpoint, label: string): Ingredient[] {
  const model = { label: adapters.length === 0 ? label : reference.path, hub, ...(license && { license }) }
  return [model, ...adapters.map(({ path, ...adapter }) => ({ label: path, ...adapter }))]
}

const escapedByte = (mark: string) => `%${mark.codePointAt(0)!.toString(16)}`

/** At the commit that was merged. */
const linked = ({ label, hub }: Ingredient): string =>
  hub === undefined
    ? code(label)
    : `[${hub.id}](${pages}/${hub.id}/tree/${hub.commit}) at ${code(hub.commit.slice(0, 7))}`

function methods({ methodCalled, options, inputs }: PlanContext, facts: CardFacts): string {
  const merges = facts.tensors.flatMap(({ operation }) =>
    operation.kind === 'merge' ? [{ called: methodOf(facts, operation), operation }] : [],
  )
  const isRandom = merges.some(({ called, operation }) => methodCalled(called).draws?.(operation.parameters) === true)
  const used = listMethods(facts)
  const described = used.map((name) => describeMethod(methodCalled(name), facts.fileNames))
  const [only, ...more] = described
  const counts = used.map((name) => merges.filter(({ called }) => called === name).length)
  return [
    more.length === 0 ? '## Method' : '## Methods',
    '',
    ...(more.length === 0
      ? [only!]
      : described.map((text, index) => `- ${counted(counts[index]!, 'tensor')}: ${text}`)),
    ...parameterFiles(inputs),
    ...(facts.tensors.some(({ operation }) => findRuleOf(operation) !== undefined) ? ['', weightsMark] : []),
    ...(isRandom ? ['', `Random seed: ${options.seed}.`] : []),
  ].join('\n')
}

/** At the commit that was read. */
function parameterFiles({ files }: MergeInputs): readonly string[] {
  if (files === undefined) return []
  const each = files.checkpoints.map(
    ({ hub, license }, index) =>
      `- ${code(files.parameters[index]!)} from ${linked({ label: files.labels[index]!, hub, ...(license && { license }) })}`,
  )
  return ['', ...each]
}

function describeMethod({ name, summary, reference, file }: MethodDefinition, fileNames: ReadonlySet<string>): string {
  const source = reference === undefined ? '' : `, ${link(asText(reference.title), reference.url)}`
  const module = file === undefined ? undefined : nameOfPath(file)
  const own =
    module === undefined
      ? ''
      : `, which is none of mk's own methods${fileNames.has(module) ? `: [${asText(module)}](${encodeURIComponent(module).replace(/[()]/g, escapedByte)})` : ''}`
  return `**${asText(name)}**${source}${own}. ${asText(summary)}`
}

function licenses({ inputs }: PlanContext): string {
  const parts = listModels(inputs).flatMap(({ checkpoint, label }) => partsOf(checkpoint, label))
  const stated = parts.flatMap(({ license }) => license ?? [])
  if (stated.length === 0) return ''
  return [
    '## Licenses',
    '',
    ...new Set(
      parts.map(
        ({ label, hub, license }) =>
          `- ${code(hub?.id ?? label)}: ${license === undefined ? 'not stated' : licenseText(license)}`,
      ),
    ),
  ].join('\n')
}

function licenseText({ id, name, link: url }: ModelLicense): string {
  const text = name === undefined ? id : `${id} (${asText(name)})`
  return url === undefined ? text : link(text, url)
}

/** An address that a page may act on, or else the text alone. */
const link = (text: string, url: string) => (address.test(url) ? `[${text}](${url})` : text)

const address = /^https:\/\/[^\s()<>]+$/

/** That of all inputs where they agree, 'other' where they differ; undefined where one is not known and the others don't differ. */
function commonLicense(checkpoints: readonly Checkpoint[]): ModelLicense | undefined {
  const all = checkpoints.flatMap((checkpoint) => partsOf(checkpoint, '')).map(({ license }) => license)
  const stated = all.filter((license) => license !== undefined)
  const different = new Set(stated.map((license) => JSON.stringify(license)))
  if (different.size > 1) return { id: 'other', name: 'of-the-merged-models' }
  return stated.length === all.length ? stated[0] : undefined
}

const isGguf = ({ outFormat }: PlanContext['config']) => outFormat === 'gguf'
const isAdapter = ({ outFormat }: PlanContext['config']) => outFormat === 'lora'

function loading(
  { config: recipe, inputs, options: { name = 'path/to/this/folder' } }: PlanContext,
  { hasTokenizer, config = inputs.checkpoints[inputs.donor]!.config }: CardFacts,
): string {
  if (config === undefined) return ''
  if (isGguf(recipe)) return ['## Loading it', '', '```sh', `llama-cli -m ${ggufFileName}`, '```'].join('\n')
  const [architecture] = (Array.isArray(config['architectures']) ? config['architectures'] : []) as unknown[]
  const own = config['auto_map'] !== undefined
  const loader = loaderOf(architecture, own)
  const place = JSON.stringify(shortened(name, 200))
  const withCode = own ? ', trust_remote_code=True' : ''
  if (isAdapter(recipe)) return loadingAdapter(inputs, { loader, place, withCode })
  return [
    '## Loading it',
    '',
    '```python',
    `from transformers import ${[loader, ...(hasTokenizer ? ['AutoTokenizer'] : [])].toSorted().join(', ')}`,
    '',
    `model = ${loader}.from_pretrained(${place}, dtype="auto"${withCode})`,
    ...(hasTokenizer ? [`tokenizer = AutoTokenizer.from_pretrained(${place}${withCode})`] : []),
    '```',
  ].join('\n')
}

function loadingAdapter(
  { checkpoints, donor }: MergeInputs,
  { loader, place, withCode }: { readonly loader: string; readonly place: string; readonly withCode: string },
): string {
  const { hub, reference } = checkpoints[donor]!
  return [
    '## Loading it',
    '',
    '```python',
    'from peft import PeftModel',
    `from transformers import ${loader}`,
    '',
    `base = ${loader}.from_pretrained(${JSON.stringify(shortened(hub?.id ?? reference.path, 1000))}, dtype="auto"${withCode})`,
    `model = PeftModel.from_pretrained(base, ${place})`,
    '```',
  ].join('\n')
}

/** @param own whether the model brings the class itself, which only the automatic ones find */
function loaderOf(architecture: unknown, own: boolean): string {
  if (typeof architecture !== 'string' || !/^[A-Z]\w{0,99}$/.test(architecture)) return 'AutoModel'
  if (architecture.endsWith('ForCausalLM')) return 'AutoModelForCausalLM'
  return own ? 'AutoModel' : architecture
}

/** What was decided, cut or left out. */
function notes({ notes, options: { vocabulary } }: PlanContext): string {
  const texts = [...new Set([...vocabulary.warnings, ...vocabulary.notes, ...notes.texts()])]
  return texts.length === 0 ? '' : ['## Notes', '', ...texts.map((text) => `- ${asText(text)}`)].join('\n')
}

function recipeText({ options: { text } }: PlanContext): string {
  const fence = text.includes('```') ? '~~~' : '```'
  return ['## Recipe', '', `${fence}yaml`, text.trimEnd(), fence].join('\n')
}

/** Names in notes are the input's: without what a page would act on, be it a control character, markup or a link. */
const asText = (text: string): string => shortened(text, 2000).replace(/[`<]|\](?=\()/g, (mark) => `\\${mark}`)

const code = (text: string) => `\`${shortened(text.replaceAll('`', "'"), 1000)}\``
