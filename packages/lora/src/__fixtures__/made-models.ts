import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { inFolder, writeModel } from './extract.ts'

export type Tensors = Record<
  string,
  { readonly shape: readonly number[]; readonly values: Float32Array; readonly dtype?: 'F16' }
>

export function random(shape: readonly number[], seed: number, scale = 1) {
  let state = seed
  const next = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32 - 0.5
  const count = shape.reduce((product, size) => product * size, 1)
  return { shape, values: Float32Array.from({ length: count }, () => scale * next()) }
}

export const layer = 'model.layers.0.'
export const [q, up, norm1] = [
  `${layer}self_attn.q_proj.weight`,
  `${layer}mlp.up_proj.weight`,
  `${layer}input_layernorm.weight`,
]
export const made = (): Tensors => ({
  'model.embed_tokens.weight': random([10, 6], 1),
  [q]: random([8, 6], 2),
  [up]: random([12, 6], 3),
  [norm1]: random([6], 4),
  'lm_head.weight': random([10, 6], 5),
})
export const copied = (tensors: Tensors): Tensors =>
  Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [name, { ...tensor, values: tensor.values.slice() }]),
  )

/** Writes a base and what `change` makes of it, and works with both and a place for the adapter. */
export const between = <T>(
  change: (tensors: Tensors) => void,
  work: (paths: { fine: string; base: string; out: string }) => Promise<T>,
  { base: baseTensors = made(), config = {} }: { base?: Tensors; config?: object } = {},
): Promise<T> =>
  inFolder(async (folder) => {
    const tensors = copied(baseTensors)
    change(tensors)
    for (const name of ['base', 'fine']) mkdirSync(join(folder, name))
    return work({
      base: writeModel(join(folder, 'base'), baseTensors, config as Record<string, unknown>),
      fine: writeModel(join(folder, 'fine'), tensors, config as Record<string, unknown>),
      out: join(folder, 'adapter'),
    })
  })

/** Adds a matrix of rank 1. */
export function addRankOne({ shape, values }: Tensors[string], seed: number): void {
  const [rows, columns] = shape as [number, number]
  const [u, v] = [random([rows], seed).values, random([columns], seed + 100).values]
  for (let i = 0; i < values.length; i++) values[i]! += u[Math.floor(i / columns)]! * v[i % columns]!
}
