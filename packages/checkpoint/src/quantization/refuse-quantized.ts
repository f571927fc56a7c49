import { quoted } from '@mk/errors'
import type { TensorSource } from '@mk/source'
import { CheckpointError } from '../errors.ts'
import type { ModelConfig, Quantization } from './config-quantization.ts'
import { evidence, float8Methods, isCode, matrixName, scaleNames } from './quantization-schemes.ts'
import { describeMethod } from './schemes.ts'

/**
 * Refuses weights that are codes, told by names and dtypes alone, by the name that config.json has for them if it has one.
 * @throws CheckpointError `quantized`
 */
export function refuseQuantized(
  folder: string,
  tensors: ReadonlyMap<string, TensorSource>,
  quantization: Quantization | undefined,
  config?: ModelConfig,
): void {
  const method = quantization && describeMethod(quantization, config)
  const refuse = (scheme: string, found: string): never => {
    const isUnsaid = quantization === undefined
    throw new CheckpointError({ code: 'quantized', folder, scheme, evidence: found, isUnsaid })
  }
  const anyName = new RegExp(evidence.flatMap(({ name }) => name?.source ?? []).join('|'))
  for (const name of tensors.keys()) {
    const scheme = anyName.test(name) ? evidence.find((row) => row.name?.test(name))?.scheme : undefined
    if (scheme !== undefined)
      refuse(
        quantization === undefined || float8Methods.includes(quantization.method) ? scheme : method!,
        `tensor ${quoted(name)}`,
      )
  }
  for (const [name, { dtype, shape }] of tensors) {
    if (!isCode(dtype) || shape.length < 2 || !/weight$|_proj$/.test(name)) continue
    const beside = evidence.find(({ codes }) =>
      codes?.beside.some((ending) => codes.name.test(name) && tensors.has(name.replace(/\.?weight$/, '') + ending)),
    )
    const hasScale = scaleNames(name).some((scale) => tensors.has(scale))
    if (beside === undefined && !hasScale && quantization === undefined && !matrixName.test(name)) continue
    const holds = `tensor ${quoted(name)} holds ${dtype}`
    if (beside !== undefined && beside.scheme !== 'scales') refuse(method ?? beside.scheme, holds)
    refuse(method ?? (beside !== undefined || hasScale ? 'integers and scales' : 'integers'), holds)
  }
}
