import { readConfig } from '@mk/config'
import { describe, expect, it } from 'vitest'
import { rawRecipe } from './raw-recipe.ts'

const block = 'merge_method: linear\nmodels:\n- model: a.safetensors # mine\n'
const raw = (text: string, missing?: 'skip' | 'others') => rawRecipe(text, { file: 'raw.yml', missing })
const documentOf = (text: string) => readConfig(text).document

describe('rawRecipe', () => {
  it('is the text itself where the command line says nothing', () => {
    expect(raw(block)).toBe(block)
  })

  it('adds a line, so that places stay what they are', () => {
    expect(raw(block, 'skip')).toBe(`${block}missing: skip\n`)
    expect(raw(block.trimEnd(), 'others')).toBe(`${block}missing: others\n`)
    expect(raw(`${block}missing: skip\n`, 'skip')).toBe(`${block}missing: skip\n`)
  })

  it.each([
    '{merge_method: linear, models: [{model: a.safetensors}]}',
    `${block}...\n`,
    `---\n  merge_method: linear\n  models: [{model: a.safetensors}]\n`,
    `${block}parameters:\n  weight: |\n    text`,
  ])('says the same where no line can be added: %j', (text) => {
    expect(documentOf(raw(text, 'skip'))).toEqual({ ...(documentOf(text) as object), missing: 'skip' })
  })

  it('leaves what is no recipe to its reader', () => {
    for (const text of ['merge_method: [', '- a', '']) expect(raw(text, 'skip')).toBe(text)
  })

  it.each(['slices', 'modules', 'tokenizer', 'tokenizer_source', 'chat_template'])('refuses %s', (key) => {
    const text = `${block}${key}: x\n`
    expect(() => raw(text)).toThrow(expect.objectContaining({ code: 'not-in-raw-recipe', fault: 'usage' }))
    expect(() => raw(text)).toThrow(`raw.yml:4:1: '${key}' has no meaning`)
  })

  it('refuses what contradicts the command line', () => {
    expect(() => raw(`${block}missing: base\n`, 'skip')).toThrow(
      `raw.yml:4:1: the file says 'missing: base', and the option asks for 'missing: skip'`,
    )
  })
})
