import {
  explainDecision,
  parseChatTemplate,
  parseTokenizer,
  planChatTemplateFiles,
  planVocabulary,
  resolveChatTemplate,
} from '@mk/tokenizer'
import { promise } from '../broken-promise.mjs'
import { modelFile, modelJson, splitSafetensors } from '../golden-models.mjs'
import { mutateDocument, mutateJson, oddText, oddValue, stringify } from '../mutate-json.mjs'
import { mutateText } from '../mutate-text.mjs'

const models = ['llama-base', 'gpt2-base', 'bert-base', 'qwen-base', 'llama-chat', 'gemma2-base']

/** Rows of a model's embedding. */
function rowsOf(model) {
  const { header } = splitSafetensors(modelFile(model, 'model.safetensors'))
  return Math.max(
    ...Object.entries(header)
      .filter(([name]) => /embed|wte/.test(name))
      .map(([, { shape }]) => shape[0]),
  )
}

/** Plans the union of two vocabularies; what would be written can be read again. */
function uniteTokenizers(tokenizers, { kind = 'complete-rows', baseIndex } = {}) {
  const plan = planVocabulary({
    models: tokenizers.map(({ tokenizer, rows }, index) => ({ label: 'ab'[index], tokenizer, embeddingRows: rows })),
    baseIndex,
    setting: { kind, source: { kind: 'union' }, tokens: [] },
  })
  for (const decision of plan.decisions) explainDecision(decision, ['a', 'b'])
  const versions = tokenizers.map(({ tokenizer }) => JSON.stringify(tokenizer.document?.version))
  for (const [name, text] of plan.write) if (name.endsWith('.json')) checkWritten(name, text, versions)
}

function checkWritten(name, text, versions) {
  let value
  try {
    value = JSON.parse(text)
  } catch {
    promise(false, `${name} would be written and is no JSON`)
  }
  if (name !== 'tokenizer.json') return
  promise(
    versions.includes(JSON.stringify(value.version)),
    'tokenizer.json would be written with a version that no input has',
  )
  try {
    parseTokenizer(new Map([[name, text]]))
  } catch (error) {
    promise(false, `tokenizer.json would be written and cannot be read: ${error.message}`)
  }
}

/** tokenizer.json, parsed, united with another, written and parsed again. */
export const tokenizerJson = {
  name: 'tokenizer-json',
  extension: 'json',
  async open() {
    const texts = new Map(models.map((name) => [name, modelFile(name, 'tokenizer.json').toString()]))
    const rows = new Map(models.map((name) => [name, rowsOf(name)]))
    const other = {
      tokenizer: parseTokenizer(new Map([['tokenizer.json', texts.get('llama-chat')]])),
      rows: rows.get('llama-chat'),
    }
    return {
      make(random) {
        const model = random.pick(models)
        const text = mutateDocument(random, JSON.parse(texts.get(model)), mutateText)
        const added = random.chance(0.2) ? { added: stringify(oddValue(random)) } : {}
        return JSON.stringify({
          model,
          text,
          ...added,
          kind: random.pick(['complete-rows', 'average-rows']),
          baseIndex: random.pick([0, 1]),
        })
      },
      check(bytes) {
        const { model, text, added, kind, baseIndex } = JSON.parse(bytes.toString())
        const tokenizer = parseTokenizer(
          new Map([['tokenizer.json', text], ...(added === undefined ? [] : [['added_tokens.json', added]])]),
        )
        uniteTokenizers([{ tokenizer, rows: rows.get(model) }, other], { kind, baseIndex })
      },
    }
  },
}

/** The files beside tokenizer.json. */
export const tokenizerFiles = {
  name: 'tokenizer-files',
  extension: 'json',
  async open() {
    const text = modelFile('llama-chat', 'tokenizer.json').toString()
    const rows = rowsOf('llama-chat')
    const plain = { tokenizer: parseTokenizer(new Map([['tokenizer.json', text]])), rows }
    const bases = {
      'tokenizer_config.json': {
        ...modelJson('llama-chat', 'tokenizer_config.json'),
        added_tokens_decoder: { 64: { content: '<x>', special: true }, 65: { content: '<y>', special: false } },
        chat_template: [{ name: 'default', template: '{{ x }}' }],
      },
      'generation_config.json': modelJson('llama-chat', 'generation_config.json'),
      'config.json': modelJson('llama-chat', 'config.json'),
      'added_tokens.json': { '<x>': 64, '<z>': 70 },
      'special_tokens_map.json': { bos_token: '<s>', pad_token: { content: '<p>' } },
    }
    return {
      make: (random) =>
        JSON.stringify(
          Object.fromEntries(Object.entries(bases).map(([name, base]) => [name, stringify(mutateJson(random, base))])),
        ),
      check(bytes) {
        const files = new Map([['tokenizer.json', text], ...Object.entries(JSON.parse(bytes.toString()))])
        uniteTokenizers([{ tokenizer: parseTokenizer(files), rows }, plain], { baseIndex: 0 })
      },
    }
  },
}

/** Chat templates, wherever they stand. */
export const chatTemplates = {
  name: 'chat-templates',
  extension: 'json',
  async open() {
    const base = { chat_template: [{ name: 'default', template: '{{x}}' }] }
    return {
      make(random) {
        const file = random.pick(['tokenizer_config.json', 'chat_template.json'])
        const files = { [file]: random.chance(0.8) ? stringify(mutateJson(random, base)) : oddText(random) }
        if (random.chance(0.2)) files['chat_template.jinja'] = oddText(random)
        return JSON.stringify({ files, setting: random.pick(['auto', 'chatml', oddText(random)]) })
      },
      check(bytes) {
        const { files, setting } = JSON.parse(bytes.toString())
        const map = new Map(Object.entries(files))
        const text = resolveChatTemplate(setting, [
          { chatTemplate: parseChatTemplate(map) },
          { chatTemplate: undefined },
        ])
        if (text !== undefined) planChatTemplateFiles(text, map)
      },
    }
  },
}
