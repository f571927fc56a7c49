// Pictures of plans of the example recipes: parameters over depth, stacked slices, the way from recipe to folder.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { prepareMerge } from '@mk/merge'
import { builtinMethods } from '@mk/methods'
import { arrow, circle, line, path, rect, svg, words } from './svg.mjs'

async function planOf(root, name) {
  const file = join(root, 'examples/recipes', name)
  return (await prepareMerge({ text: await readFile(file, 'utf8'), file, methods: builtinMethods })).plan
}

const layerOf = (name) => Number(/\.layers\.(\d+)\./.exec(name)?.[1] ?? NaN)
const nameOf = (label) => label.split('/').at(-1)

/** What t resolves to in each layer of gradient-slerp.yml, for the three kinds of tensors that it tells apart. */
export async function drawGradient(root) {
  const { tensors } = await planOf(root, 'gradient-slerp.yml')
  const kinds = [
    { title: 'self_attn', color: 'a', has: (name) => name.includes('self_attn') },
    { title: 'mlp', color: 'b', has: (name) => name.includes('mlp') },
    { title: 'all others', color: 'c', has: (name) => !/self_attn|mlp/.test(name) },
  ]
  const inLayers = tensors.filter(({ name }) => !Number.isNaN(layerOf(name)))
  const layerCount = Math.max(...inLayers.map(({ name }) => layerOf(name))) + 1
  const [left, top, width, height] = [70, 50, 520, 200]
  const x = (layer) => left + (layer / (layerCount - 1)) * width
  const y = (t) => top + (1 - t) * height
  const series = kinds.map(({ title, color, has }) => {
    const points = Array.from({ length: layerCount }, (_, layer) => {
      const tensor = inLayers.find(({ name }) => layerOf(name) === layer && has(name))
      return [x(layer), y(tensor.operation.parameters.t)]
    })
    return { title, color, points }
  })
  return svg(
    {
      width: 720,
      height: 320,
      about: 'The parameter t of gradient-slerp.yml over the layers, for attention, MLP and the rest',
    },
    words(left, 26, 't in examples/recipes/gradient-slerp.yml', { kind: 'title' }),
    [0, 0.25, 0.5, 0.75, 1].map((t) => [
      line(left, y(t), left + width, y(t)),
      words(left - 10, y(t) + 4, t, { anchor: 'end', kind: 'small' }),
    ]),
    words(left - 10, y(1) - 12, 'prose', { anchor: 'end', kind: 'small' }),
    words(left - 10, y(0) + 20, 'code', { anchor: 'end', kind: 'small' }),
    Array.from({ length: layerCount }, (_, layer) =>
      words(x(layer), top + height + 20, layer, { anchor: 'middle', kind: 'small' }),
    ),
    words(left + width / 2, top + height + 42, 'layer', { anchor: 'middle', kind: 'small' }),
    series.map(({ title, color, points }) => [
      path(points, `stroke ${color}`),
      points.map(([px, py]) => circle(px, py, 4, `fill ${color}`)),
      words(left + width + 14, points.at(-1)[1] + 4, title, { kind: `fill ${color}` }),
    ]),
  )
}

/** Where the layers of layers.yml come from: two models beside the output. */
export async function drawSlices(root) {
  const { tensors, inputs } = await planOf(root, 'layers.yml')
  const blocks = new Map()
  for (const { name, operation } of tensors) {
    const layer = layerOf(name)
    if (Number.isNaN(layer)) continue
    const source = operation.kind === 'copy' ? operation.input : operation.models[0]
    blocks.set(layer, { input: source.input, from: layerOf(source.name) })
  }
  const [blockHeight, blockWidth, bottom] = [28, 150, 300]
  const place = (layer) => bottom - (layer + 1) * (blockHeight + 4)
  const colors = ['a', 'b']
  const columnsX = [30, 510]
  const middle = 270
  const count = Math.max(...[...blocks.values()].map(({ from }) => from)) + 1
  const used = (input, layer) => [...blocks.values()].some((block) => block.input === input && block.from === layer)
  const stack = (input) =>
    Array.from({ length: count }, (_, layer) => [
      rect(
        columnsX[input],
        place(layer),
        blockWidth,
        blockHeight,
        `fill ${colors[input]}${used(input, layer) ? '' : ' faint'} round`,
      ),
      words(columnsX[input] + blockWidth / 2, place(layer) + 18, `layer ${layer}`, {
        anchor: 'middle',
        kind: 'onfill',
      }),
    ])
  const links = [...blocks].map(([layer, { input, from }]) => {
    const start = [input === 0 ? columnsX[0] + blockWidth + 4 : columnsX[1] - 4, place(from) + blockHeight / 2]
    const end = [input === 0 ? middle - 4 : middle + blockWidth + 4, place(layer) + blockHeight / 2]
    return arrow(start, end, 'n', { faint: true })
  })
  return svg(
    { width: 690, height: 350, about: 'Layers 0 to 3 of one model with layers 2 to 5 of another on top' },
    stack(0),
    stack(1),
    links,
    [...blocks].map(([layer, { input, from }]) => [
      rect(middle, place(layer), blockWidth, blockHeight, `fill ${colors[input]} round`),
      words(middle + blockWidth / 2, place(layer) + 18, `layer ${layer}  (was ${from})`, {
        anchor: 'middle',
        kind: 'onfill',
      }),
    ]),
    inputs.map(({ label }, input) =>
      words(columnsX[input] + blockWidth / 2, bottom + 22, nameOf(label), { anchor: 'middle', kind: 'title' }),
    ),
    words(middle + blockWidth / 2, bottom + 22, 'the output', { anchor: 'middle', kind: 'title' }),
    words(
      345,
      bottom + 44,
      'embeddings come with the first slice, final norm and head with the last; faint layers are not used',
      { anchor: 'middle', kind: 'small' },
    ),
  )
}

/** The way from a recipe to a folder, with the figures of linear.yml. */
export async function drawPipeline(root) {
  const plan = await planOf(root, 'linear.yml')
  const megabytes = (plan.files.reduce((sum, { fileBytes }) => sum + fileBytes, 0) / 1e6).toFixed(1)
  const steps = [
    { title: 'recipe', lines: ['linear.yml', 'all faults at once,', 'with line and column'] },
    { title: 'headers', lines: [`of ${plan.inputs.length} models:`, 'names, shapes,', 'places of bytes'] },
    { title: 'plan', lines: [`${plan.tensors.length} tensors,`, `${megabytes} MB: the place`, 'of every byte'] },
    { title: 'workers', lines: ['read, compute,', 'write chunks,', 'in any order'] },
    { title: 'OUT.partial', lines: ['grows; a journal', 'says what is done,', 'to go on from'] },
    { title: 'OUT', lines: ['renamed when', 'whole: weights,', 'config, card'] },
  ]
  const [width, gap, top, height] = [140, 26, 50, 116]
  const x = (index) => 16 + index * (width + gap)
  const dry = x(3) - gap / 2
  return svg(
    {
      width: x(steps.length) - gap + 16,
      height: 236,
      about: 'Recipe, headers, plan, workers, partial folder, output folder',
    },
    words(16, 28, 'From recipe to folder', { kind: 'title' }),
    steps.map(({ title, lines }, index) => [
      rect(x(index), top, width, height, 'box'),
      words(x(index) + width / 2, top + 26, title, { anchor: 'middle', kind: 'title' }),
      lines.map((text, row) =>
        words(x(index) + width / 2, top + 52 + row * 20, text, { anchor: 'middle', kind: 'small' }),
      ),
      index === 0 ? '' : arrow([x(index) - gap + 2, top + height / 2], [x(index) - 3, top + height / 2], 'a'),
    ]),
    line(dry, top - 8, dry, top + height + 16, 'line dash'),
    words(dry - 10, top + height + 34, 'until here nothing is written: --dry-run', { anchor: 'end', kind: 'small' }),
    words(dry + 10, top + height + 34, 'Ctrl-C, crash or full disk: the same command goes on', { kind: 'small' }),
  )
}
