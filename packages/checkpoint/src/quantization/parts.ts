import { dtypeBytes, elementCount } from '@mk/safetensors'
import type { TensorSource } from '@mk/source'
import { CheckpointError } from '../errors.ts'
import type { ModelConfig } from './config-quantization.ts'
import type { Expectation, Parts, StoredSource } from './layouts/layout.ts'

/** Reads all bytes of a tensor that has few, wherever they are. */
export type ReadSmall = (source: StoredSource) => Promise<Uint8Array>

export interface PartsOptions {
  readonly folder: string
  readonly scheme: string
  readonly settings: ModelConfig
  readonly tensors: ReadonlyMap<string, TensorSource>
  readonly readSmall: ReadSmall
  /** Is told what is taken. */
  readonly used: Set<string>
}

const smallBytes = 1 << 16

/** Gathers the tensors of one module. */
export function partsOf(stem: string, { folder, scheme, settings, tensors, readSmall, used }: PartsOptions): Parts {
  const sourceOf = (ending: string) => tensors.get(stem + ending) as StoredSource
  const misfit = (ending: string, expected: string): never => {
    const { dtype, shape } = sourceOf(ending)
    throw new CheckpointError({ code: 'quantized-part', folder, scheme, tensor: stem + ending, dtype, shape, expected })
  }
  const find = (ending: string, expected: Expectation): StoredSource | undefined => {
    const source = sourceOf(ending)
    if (source === undefined) return undefined
    if (!fits(source, expected)) misfit(ending, describe(expected))
    used.add(stem + ending)
    return source
  }
  return {
    stem,
    settings,
    find,
    need(ending, expected) {
      const missing = stem + ending
      const found = find(ending, expected)
      if (found === undefined)
        throw new CheckpointError({ code: 'quantized-part-missing', folder, scheme, tensor: stem, missing })
      return found
    },
    dtypeOf: (ending) => tensors.get(stem + ending)?.dtype,
    async peek(ending) {
      const source = sourceOf(ending)
      if (elementCount(source.shape) * dtypeBytes(source.dtype) > smallBytes) misfit(ending, 'a few bytes')
      return readSmall(source)
    },
    misfit,
    unfit(setting, found, expected) {
      const text = JSON.stringify(found) ?? 'not said'
      throw new CheckpointError({ code: 'quantized-setting', folder, scheme, setting, found: text, expected })
    },
  }
}

const fits = ({ dtype, shape }: TensorSource, { dtypes, shape: sizes }: Expectation): boolean =>
  dtypes.includes(dtype) &&
  (sizes === undefined ||
    (sizes.length === shape.length &&
      shape.every((size, at) => (sizes[at] === undefined ? size > 0 : size === sizes[at]))))

const describe = ({ dtypes, shape }: Expectation): string =>
  `${dtypes.join(' or ')}${shape === undefined ? '' : ` [${shape.map((size) => size ?? '…').join(', ')}]`}`
