import { describeCheckpoint } from '@mk/architecture'
import { describe, expect, test } from 'vitest'
import { spreadLayers } from './spread-layers.ts'

const config = { model_type: 'unheard-of' }
const layout = (names: readonly string[], of: Readonly<Record<string, unknown>> = config) =>
  describeCheckpoint(
    names.map((name) => ({ name, shape: [2, 2], dtype: 'F32' as const })),
    of,
  )
const layers = (prefix: string, count: number, parts: readonly string[] = ['self_attn.q_proj', 'mlp.up_proj']) =>
  Array.from({ length: count }, (_, layer) => parts.map((part) => `${prefix}layers.${layer}.${part}.weight`)).flat()
/** Six layers, of which 1 and 4 attend to an image. */
const whole = [0, 1, 2, 3, 4, 5].flatMap((layer) =>
  (layer % 3 === 1 ? ['cross_attn.q_proj', 'mlp.up_proj'] : ['self_attn.q_proj', 'mlp.up_proj']).map(
    (part) => `language_model.model.layers.${layer}.${part}.weight`,
  ),
)
const vision = [0, 1].map((layer) => `vision_model.transformer.layers.${layer}.mlp.fc1.weight`)
const mllama = { model_type: 'mllama', architectures: ['MllamaForConditionalGeneration'] }
const spread = (text: readonly string[]) => spreadLayers(layout([...whole, ...vision], mllama), layout(text))

describe('the layers of a text model', () => {
  test('get the numbers of those that are like them', () => {
    const found = spread(layers('model.', 4))!
    expect(found.layerCount).toBe(6)
    expect([...found.names]).toEqual(
      [0, 2, 3, 5].flatMap((to, from) =>
        ['self_attn.q_proj', 'mlp.up_proj'].map((part) => [
          `model.layers.${from}.${part}.weight`,
          `model.layers.${to}.${part}.weight`,
        ]),
      ),
    )
  })

  test.each([
    ['as many as there are', layers('model.', 6)],
    ['more than are like them', layers('model.', 5)],
    ['fewer than are like them', layers('model.', 3)],
    ['none', ['model.norm.weight']],
    ['two stacks', [...layers('encoder.', 4), ...layers('decoder.', 4)]],
    ['others', layers('model.', 4, ['self_attn.q_proj', 'mlp.other'])],
  ])('keep them where they are %s', (_, text) => {
    expect(spread(text)).toBeUndefined()
  })

  test('keep them where the other model has no language part', () => {
    expect(spreadLayers(layout(layers('model.', 6)), layout(layers('model.', 4)))).toBeUndefined()
  })
})
