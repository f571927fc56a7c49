import { builtinMethods, mergeArrays } from '@mk/methods'
import { promise } from '../broken-promise.mjs'
import { oddValue } from '../mutate-json.mjs'

const oddElements = [0, -0, 1, -1, 1e-45, 1e-38, 3.4e38, -3.4e38, NaN, Infinity, -Infinity, 1e-20, 65504, 70000]
const settings = [
  'weight',
  'density',
  't',
  'epsilon',
  'gamma',
  'lambda',
  'scale',
  'select_topk',
  'max_iter',
  'tol',
  'eps',
  'r',
  'alpha',
  'normalize',
]
/** What is smaller than this is merged without leaving float32. */
const safeMagnitude = 1e30
const safeSetting = 1e3

/** All methods on odd numbers, shapes and parameters: of finite inputs the result is finite. */
export const methods = {
  name: 'methods',
  extension: 'json',
  async open() {
    return {
      make(random) {
        const [name, { models, parameters }] = random.pick([...builtinMethods])
        const length = random.pick([0, 1, 2, 3, 17, 64])
        const array = () =>
          Array.from(
            { length },
            () => `${random.chance(0.1) ? random.pick(oddElements) : random.below(1000) / 500 - 1}`,
          )
        const known = [...Object.keys(parameters.perModel), ...Object.keys(parameters.methodWide)]
        const chosen = settings.filter((key) => (known.includes(key) ? random.chance(0.7) : random.chance(0.03)))
        return JSON.stringify({
          name,
          models: Array.from({ length: Math.min(Math.max(models.min, 1) + random.below(2), models.max ?? 9) }, array),
          base: random.chance(0.9) ? array() : undefined,
          shape: length === 64 ? random.pick([[64], [8, 8], [4, 16], [2, 4, 8]]) : undefined,
          parameters: Object.fromEntries(
            chosen.map((key) => [key, random.chance(0.7) ? random.below(20) / 10 - 0.5 : oddValue(random)]),
          ),
        })
      },
      async check(bytes) {
        const { name, models, base, shape, parameters } = JSON.parse(bytes.toString())
        const input = {
          models: models.map((array) => Float32Array.from(array, Number)),
          parameters,
          ...(base !== undefined && { base: Float32Array.from(base, Number) }),
          ...(shape !== undefined && { shape }),
        }
        const result = await mergeArrays(name, input)
        promise(result.length === models[0].length, 'the result has another length')
        const isSafe = [...input.models, input.base ?? []].every((array) =>
          array.every((x) => Math.abs(x) < safeMagnitude),
        )
        const isPlain = Object.values(parameters).every(
          (value) => typeof value === 'boolean' || (typeof value === 'number' && Math.abs(value) < safeSetting),
        )
        promise(!isSafe || !isPlain || result.every(Number.isFinite), `${name} of finite inputs is not finite`)
      },
    }
  },
}
