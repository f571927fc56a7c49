/**
 * Makes the elements of a tensor of a made model: the same numbers as `weights` in make-fixtures.py. `norm` is what the elements
 * of norms lie around.
 */
export function tinyWeights(name: string, shape: readonly number[], norm: number): Float32Array {
  let seed = 2166136261
  for (const byte of new TextEncoder().encode(name)) seed = Math.imul(seed ^ byte, 16777619)
  const isBias = name.endsWith('bias')
  const strength = /q_proj|k_proj/.test(name) ? 2 : /o_proj|down_proj|w2/.test(name) ? 0.25 : 1
  const scale = 2 ** -Math.floor(Math.floor(Math.log2(shape.at(-1)!)) / 2) * strength
  const values = new Float32Array(shape.reduce((product, size) => product * size, 1))
  for (let index = 0; index < values.length; index++) {
    let hash = Math.imul(index, 0x9e3779b1) + seed
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
    hash ^= hash >>> 16
    const unit = ((hash >>> 25) - 64) / 64
    values[index] = shape.length === 1 ? (isBias ? unit / 4 : norm + unit / 2) : unit * scale
  }
  return values
}
