import { describe, expect, it } from 'vitest'
import { parseLayerSlices } from './layer-slices.ts'

const parse = (text: string, lenient = false) => parseLayerSlices(text, { file: 'old.yml', lenient })

describe('parseLayerSlices', () => {
  it('reads slices and sources', () => {
    expect(
      parse(
        'layer_slices:\n- {model: a, start: 0, end: 2}\n- {model: b, start: 1, end: 4, scale: 0.5}\nembedding_source: c\nlm_head_source: d',
      ),
    ).toEqual({
      slices: [
        { model: 'a', start: 0, end: 2 },
        { model: 'b', start: 1, end: 4, scale: 0.5 },
      ],
      embeddingSource: 'c',
      headSource: 'd',
      warnings: [],
    })
  })

  it('takes null for absent, as these files have it', () => {
    expect(
      parse('layer_slices: [{model: a, start: 0, end: 2, scale: null}]\nembedding_source: null\nlm_head_source:'),
    ).toEqual({ slices: [{ model: 'a', start: 0, end: 2 }], warnings: [] })
  })

  it('reads anchors and merge keys', () => {
    expect(parse('layer_slices:\n- &first {model: a, start: 0, end: 2}\n- *first').slices).toHaveLength(2)
  })

  it.each([
    ['a list', '- a', 'old.yml:1:1: the file is ["a"], expected'],
    [
      'no slices',
      'embedding_source: a',
      'old.yml:1:1: layer_slices is missing, expected a list of {model, start, end}',
    ],
    ['an empty list', 'layer_slices: []', 'old.yml:1:15: layer_slices is [], expected'],
    [
      'a slice that is none',
      'layer_slices: [a]',
      `old.yml:1:16: layer_slices[0] is the text 'a', expected {model, start, end}`,
    ],
    ['an unknown key', 'layer_slice: []', `old.yml:1:14: unknown key 'layer_slice'; did you mean 'layer_slices'?`],
    ['an unknown key of a slice', 'layer_slices:\n- {model: a, start: 0, stop: 2}', `old.yml:2:30: unknown key 'stop'`],
    ['a missing key', 'layer_slices:\n- {model: a, start: 0}', `old.yml:2:3: layer_slices[0] needs 'end'`],
    [
      'a start at the end',
      'layer_slices:\n- {model: a, start: 2, end: 2}',
      'old.yml:2:29: layer_slices[0] goes from 2 to 2, expected an end after the start',
    ],
    ['a start after the end', 'layer_slices:\n- {model: a, start: 3, end: 2}', 'goes from 3 to 2'],
    [
      'half a layer',
      'layer_slices:\n- {model: a, start: 0.5, end: 2}',
      'old.yml:2:21: layer_slices[0].start is 0.5, expected the number of a layer, counted from 0',
    ],
    ['a negative layer', 'layer_slices:\n- {model: a, start: -1, end: 2}', 'start is -1'],
    [
      'a scale that is no number',
      'layer_slices:\n- {model: a, start: 0, end: 2, scale: half}',
      `old.yml:2:39: layer_slices[0].scale is the text 'half', expected a number`,
    ],
    [
      'a model that is no text',
      'layer_slices:\n- {model: 7, start: 0, end: 2}',
      'old.yml:2:11: model is 7, expected a model',
    ],
    [
      'an empty source',
      'layer_slices: [{model: a, start: 0, end: 2}]\nembedding_source: ""',
      `old.yml:2:1: embedding_source is the text '', expected a model`,
    ],
    [
      'a recipe for another command',
      'merge_method: linear\nmodels: []',
      `old.yml:1:15: this is a recipe for the command 'mergekit-yaml'`,
    ],
  ])('refuses %s', (_, text, message) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'invalid-layer-slices', fault: 'usage' }))
    expect(() => parse(text)).toThrow(message)
  })

  it.each([
    ['no YAML', 'layer_slices: [', 'invalid-yaml', 'old.yml:1:16: not valid YAML: '],
    ['an empty file', '', 'invalid-yaml', 'old.yml:1:1: not valid YAML: there is nothing in it'],
    ['two documents', 'layer_slices: []\n---\nlayer_slices: []', 'several-documents', 'old.yml:3:1: '],
    ['a key that is given twice', 'layer_slices: []\nlayer_slices: []', 'invalid-yaml', 'old.yml:2:1: '],
    ['a tab', 'layer_slices:\n\t- {model: a, start: 0, end: 1}', 'invalid-yaml', 'tabs are not allowed'],
    [
      'aliases without end',
      `a: &a [x]\n${[...'bcdefghi'].map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(', ')}]`).join('\n')}`,
      'alias-limit',
      'old.yml:7:',
    ],
    ['deep nesting', '['.repeat(20_000), 'invalid-yaml', 'old.yml:1:'],
  ])('refuses %s in the words of recipes', (_, text, code, message) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code, fault: 'usage' }))
    expect(() => parse(text)).toThrow(message)
  })

  it('ignores unknown keys where it is lenient, and names each', () => {
    const text =
      'layer_slices:\n- {model: a, start: 0, end: 2, model_kwargs: {a: 1}, scael: 2}\nname: x\nlm_head_source: b\nlm_head_source: c\n'
    expect(parse(text, true)).toEqual({
      slices: [{ model: 'a', start: 0, end: 2 }],
      headSource: 'c',
      warnings: [
        `old.yml:5:1: the key 'lm_head_source' is given twice; the last holds, as in mergekit`,
        `old.yml:3:1: ignored: unknown key 'name' (expected: layer_slices, embedding_source, lm_head_source)`,
        `old.yml:2:32: ignored: unknown key 'model_kwargs' (expected: model, start, end, scale)`,
        `old.yml:2:54: ignored: unknown key 'scael'; did you mean 'scale'?`,
      ],
    })
    expect(() => parse('layer_slices: [{model: a, start: 0, end: x}]', true)).toThrow(`end is the text 'x'`)
  })
})
