import { createReferenceRuntime } from '@mk/tensor/runtime'
import { expect, it } from 'vitest'
import { distance, identity, ofRows, random } from './__fixtures__/matrices.ts'
import {
  carryOut,
  createLinalg,
  type LinalgJob,
  multiply,
  solvePositive,
  svd,
  symmetricEigen,
  transpose,
} from './index.ts'

const jobs: LinalgJob[] = []
const linalg = createLinalg((job) => {
  jobs.push(structuredClone(job))
  return carryOut(job, createReferenceRuntime())
})
const tall = random(7, 4)
const gram = multiply(transpose(tall), tall)

it('gives what the functions give', async () => {
  expect(await linalg.symmetricEigen(gram)).toEqual(symmetricEigen(gram))
  expect(await linalg.svd(tall)).toEqual(svd(tall))
  expect(await linalg.solvePositive(gram, identity(4))).toEqual(solvePositive(gram, identity(4)))
  const { u, values, v } = svd(tall)
  const { factor, nuclearNorm } = await linalg.polarFactor(tall)
  expect(distance(factor, multiply(u, transpose(v)))).toBeLessThan(1e-5)
  expect(nuclearNorm).toBeCloseTo(
    values.reduce((a, b) => a + b),
    5,
  )
  expect(jobs.map(({ kind }) => kind)).toEqual(['symmetricEigen', 'svd', 'solvePositive', 'polarFactor'])
})

it('multiplies by the runtime, factors either way round', async () => {
  const right = random(4, 3, 2)
  const exact = multiply(tall, right)
  for (const [left, factor, options] of [
    [tall, right, {}],
    [transpose(tall), right, { leftTransposed: true }],
    [tall, transpose(right), { rightTransposed: true }],
  ] as const)
    expect(distance(await linalg.multiply(left, factor, options), exact)).toBeLessThan(1e-6)
  await expect(linalg.multiply(tall, transpose(right))).rejects.toMatchObject({ code: 'matrix-size' })
})

it('gives the errors of the functions', async () => {
  await expect(linalg.solvePositive(ofRows([[0]]), ofRows([[1]]))).rejects.toMatchObject({
    code: 'not-positive-definite',
  })
  await expect(linalg.symmetricEigen(ofRows([[NaN]]))).rejects.toMatchObject({ code: 'matrix-not-finite' })
})
