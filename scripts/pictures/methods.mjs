// What methods do to vectors of two numbers, and which changes they keep: computed by running them.
import { mergeArrays } from '@mk/methods'
import { arrow, circle, line, path, rect, svg, words } from './svg.mjs'

const panel = { width: 270, height: 260 }
const columns = 3
const unit = 52
const origin = [58, 196]

const at = ([x, y]) => [origin[0] + unit * x, origin[1] - unit * y]
const zero = [0, 0]

const merge = async (method, { models, base, ...request }) =>
  Array.from(
    await mergeArrays(method, {
      ...request,
      models: models.map((model) => Float32Array.from(model)),
      ...(base && { base: Float32Array.from(base) }),
    }),
  )

const label = (point, text, color, [dx, dy] = [8, -6]) =>
  words(at(point)[0] + dx, at(point)[1] + dy, text, { kind: `${color} fill` })

async function linearPanel() {
  const [a, b] = [
    [3, 0.6],
    [0.6, 2.7],
  ]
  const sum = await merge('linear', { models: [a, b], parameters: { weight: 0.5 } })
  return {
    title: 'linear: weights 1 and 1',
    note: 'on the chord, so shorter than A and B',
    shapes: [
      path([at(a), at(b)], 'line dash'),
      arrow(at(zero), at(a), 'a'),
      arrow(at(zero), at(b), 'b'),
      arrow(at(zero), at(sum), 'c'),
      label(a, 'A', 'a'),
      label(b, 'B', 'b'),
      label(sum, 'merged', 'c'),
    ],
  }
}

async function slerpPanel() {
  const [a, b] = [
    [3, 0.6],
    [0.6, 2.7],
  ]
  const on = (t) => merge('slerp', { models: [b], base: a, parameters: { t } })
  const arc = await Promise.all(Array.from({ length: 33 }, (_, i) => on(i / 32)))
  const half = await on(0.5)
  const ticks = await Promise.all([0.25, 0.75].map(on))
  return {
    title: 'slerp: t = 0.5',
    note: 'on the arc; dots are t = 0.25 and 0.75',
    shapes: [
      path(arc.map(at), 'line dash'),
      arrow(at(zero), at(a), 'a'),
      arrow(at(zero), at(b), 'b'),
      arrow(at(zero), at(half), 'c'),
      ...ticks.map((tick) => circle(...at(tick), 4, 'fill c')),
      label(a, 'base', 'a'),
      label(b, 'other', 'b'),
      label(half, 'merged', 'c'),
    ],
  }
}

/** Models as changes of a base at zero. */
async function changesPanel(method, { title, note, models, parameters, seeds = [0], shift }) {
  const results = await Promise.all(
    seeds.map((seed) => merge(method, { models, base: zero, parameters, seed, warn: () => {} })),
  )
  const distinct = [...new Map(results.map((result) => [result.map((x) => x.toFixed(3)).join(), result])).values()]
  const [first] = distinct
  const isOne = distinct.length === 1
  return {
    title,
    note,
    shapes: [
      arrow(at(zero), at(models[0]), 'a'),
      arrow(at(zero), at(models[1]), 'b'),
      ...distinct
        .filter((result) => Math.hypot(...result) > 0.05)
        .map((result) => arrow(at(zero), at(result), 'c', { faint: !isOne })),
      circle(...at(zero), 4, 'fill n'),
      words(at(zero)[0] - 12, at(zero)[1] + 18, 'base', { kind: 'small' }),
      label(models[0], 'A', 'a'),
      label(models[1], 'B', 'b'),
      isOne ? label(first, 'merged', 'c', shift) : '',
    ],
  }
}

const panels = async () => [
  await linearPanel(),
  await slerpPanel(),
  await changesPanel('task_arithmetic', {
    title: 'task_arithmetic: weights 0.7',
    note: 'changes are added, not averaged',
    models: [
      [2.6, 0.4],
      [0.5, 2.2],
    ],
    parameters: { weight: 0.7 },
  }),
  await changesPanel('ties', {
    title: 'ties: weights 1, density 1',
    note: 'on x they disagree: the larger wins',
    models: [
      [2.8, 0.7],
      [-0.7, 2.5],
    ],
    parameters: { weight: 1 },
  }),
  await changesPanel('dare_linear', {
    title: 'dare_linear: density 0.5',
    note: 'elements at random, scaled up; 40 seeds',
    models: [
      [1.4, 0.5],
      [0.5, 1.1],
    ],
    parameters: { weight: 0.8, density: 0.5 },
    seeds: Array.from({ length: 40 }, (_, seed) => seed),
  }),
  await changesPanel('model_stock', {
    title: 'model_stock',
    note: 'towards the mean, as far as they agree',
    models: [
      [3, 1],
      [1.4, 2.6],
    ],
    shift: [-10, 22],
  }),
]

/** Six panels: two models, and what becomes of them. */
export async function drawMethods() {
  const drawn = (await panels()).map(({ title, note, shapes }, index) => {
    const [x, y] = [(index % columns) * panel.width, Math.floor(index / columns) * panel.height]
    return [
      `<g transform="translate(${x} ${y})">`,
      rect(4, 4, panel.width - 8, panel.height - 8, 'box'),
      words(16, 26, title, { kind: 'title' }),
      line(origin[0] - 42, origin[1], panel.width - 20, origin[1]),
      line(origin[0], origin[1] + 16, origin[0], 40),
      ...shapes,
      words(16, panel.height - 18, note, { kind: 'small' }),
      '</g>',
    ]
  })
  return svg(
    {
      width: columns * panel.width,
      height: Math.ceil(drawn.length / columns) * panel.height,
      about: 'Six methods on vectors of two numbers: linear, slerp, task arithmetic, TIES, DARE and Model Stock',
    },
    ...drawn,
  )
}

const elementCount = 60
/** Changes of every size, as a training leaves many small ones and few large ones. */
const changes = Array.from({ length: elementCount }, (_, i) => Math.exp(-i / 16) * (i % 2 === 0 ? 1 : -1))

const rows = [
  { method: 'task_arithmetic', title: 'task_arithmetic', note: 'all', parameters: {} },
  { method: 'ties', title: 'ties, density 0.4', note: 'the largest', parameters: { density: 0.4 } },
  { method: 'dare_linear', title: 'dare_linear, density 0.4', note: 'any', parameters: { density: 0.4 } },
  {
    method: 'della_linear',
    title: 'della_linear, density 0.4, epsilon 0.35',
    note: 'large ones more often',
    parameters: { density: 0.4, epsilon: 0.35 },
  },
  {
    method: 'breadcrumbs',
    title: 'breadcrumbs, density 0.4, gamma 0.1',
    note: 'a band',
    parameters: { density: 0.4, gamma: 0.1 },
  },
]

/** Which changes of one model each method keeps, largest first; what is dropped is faint. */
export async function drawKept() {
  const [left, rowHeight, barWidth, tall] = [310, 76, 9, 56]
  const drawn = await Promise.all(
    rows.map(async ({ method, title, note, parameters }, index) => {
      const merged = await mergeArrays(method, {
        models: [Float32Array.from(changes)],
        base: new Float32Array(elementCount),
        parameters: { weight: 1, ...parameters, ...(method !== 'task_arithmetic' && { rescale: false }) },
        seed: 1,
      })
      const bottom = 20 + index * rowHeight + tall
      return [
        words(left - 16, bottom - 24, title, { anchor: 'end' }),
        words(left - 16, bottom - 6, `keeps ${note}`, { anchor: 'end', kind: 'small' }),
        line(left, bottom, left + elementCount * barWidth, bottom),
        ...changes.map((change, i) => {
          const height = Math.abs(change) * tall
          return rect(
            left + i * barWidth + 1,
            bottom - height,
            barWidth - 2,
            height,
            `fill a${merged[i] === 0 ? ' faint' : ''}`,
          )
        }),
      ]
    }),
  )
  return svg(
    {
      width: left + elementCount * barWidth + 12,
      height: 20 + rows.length * rowHeight + 12,
      about: 'The changes of one model by size, and which of them each method keeps',
    },
    ...drawn,
    words(
      left,
      20 + rows.length * rowHeight + 4,
      'changes of one model, the largest at the left; faint ones are dropped',
      {
        kind: 'small',
      },
    ),
  )
}
