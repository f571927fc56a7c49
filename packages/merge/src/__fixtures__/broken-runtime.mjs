// Runtimes that fail, each in its own way.
import { createReferenceRuntime } from '@mk/tensor/runtime'

const withKernel = (run) => ({ ...createReferenceRuntime(), compile: async () => ({ run }) })

export const createThrowing = () =>
  withKernel(async () => {
    throw new TypeError('the kernel fell over')
  })
export const createUncompilable = () => ({
  ...createReferenceRuntime(),
  compile: () => Promise.reject(Object.assign(new Error('sqrt is too hard'), { name: 'UnsupportedError' })),
})
export const createUnopenable = () => {
  throw new Error('no such device')
}
export const createCrashing = () =>
  withKernel(
    () =>
      new Promise(() =>
        setTimeout(() => {
          throw new RangeError('out of nowhere')
        }, 1),
      ),
  )
export const createExiting = () => withKernel(() => process.exit(3))
