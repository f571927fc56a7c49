import { add, input, mul } from '@mk/tensor'
import { type ConformanceCase, runConformance } from '@mk/tensor/conformance'
import { type KernelCall, lower, needsWholeRows, type Runtime } from '@mk/tensor/runtime'
import { describe, expect, it } from 'vitest'
import { createRuntimeOn } from '../runtime.ts'
import { createSoftwareDevice, type SoftwareDevice } from './__fixtures__/software-device.ts'
import { createWebGpu } from './create-webgpu.ts'

const open = (device: SoftwareDevice): Runtime =>
  createRuntimeOn({ mode: 'webgpu', gpu: createWebGpu(device, undefined) })

/** All operations, and some of the random programs; on a GPU, conformance.test.ts runs the whole suite. */
const isRunHere = ({ group, name, program }: ConformanceCase): boolean =>
  !needsWholeRows(program) && (group === 'operation' || name.startsWith('random: program 0'))

/** The shader, in JavaScript: the bits of every operation are those of the reference. */
describe('WebGPU', () => {
  runConformance(
    () => open(createSoftwareDevice()),
    { describe, it, expect },
    {
      skip: [
        { cases: (testCase) => !isRunHere(testCase), reason: 'left to a GPU' },
        { cases: 'product', reason: 'left to another runtime by withFallback' },
      ],
    },
  )
})

const { program, scalars, vectors } = lower({ stores: [{ value: add(mul(input(0), 0.1), 1), dtype: 'F32' }] }, ['F32'])

const callOf = (elementCount: number): KernelCall => ({
  elementCount,
  offset: 0,
  columns: elementCount,
  inputs: [new Uint8Array(4 * elementCount)],
  scalars,
  vectors,
  outputs: [new Uint8Array(4 * elementCount)],
})

it('takes no more memory for many calls than for the longest, and gives all of it back', async () => {
  const device = createSoftwareDevice()
  const runtime = open(device)
  const kernel = await runtime.compile(program)
  await kernel.run(callOf(2000))
  const held = device.heldBytes()
  expect(held).toBeLessThan(4 * 2 ** 20)
  for (const elementCount of [5, 2000, 300]) await kernel.run(callOf(elementCount))
  expect(device.heldBytes()).toBe(held)
  await runtime.close()
  expect(device.heldBytes()).toBe(0)
})

it('gives no results where the device had an error that WebGPU tells of later', async () => {
  const device = createSoftwareDevice()
  const kernel = await open(device).compile(program)
  device.fail('out of memory')
  await expect(kernel.run(callOf(5))).rejects.toThrow('WebGPU: out of memory')
})
