import { weightsDtype } from '@mk/architecture'
import type { Checkpoint } from '@mk/checkpoint'
import { storedDtype, type TensorSource } from '@mk/source'
import type { DtypeName, MergeConfig, OutDtypeName } from '@mk/config'
import type { Dtype } from '@mk/safetensors'

const dtypeOfName: Readonly<Record<DtypeName, Dtype>> = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  float8_e4m3fn: 'F8_E4M3',
  float8_e5m2: 'F8_E5M2',
}

const names = new Map(Object.entries(dtypeOfName).map(([name, dtype]) => [dtype, name as DtypeName]))

/** What blocks are made of. */
const ofBlocks = 'F32'

export const nameOfDtype = (dtype: Dtype): DtypeName | undefined => names.get(dtype)

export const isFloat = (dtype: Dtype): boolean => names.has(dtype)

/** Gives the dtype that the config asks for: `out_dtype`, else `dtype`; undefined keeps the tensors' own. */
export function outputDtype({ outDtype, dtype }: MergeConfig): Dtype | undefined {
  const name = outDtype ?? dtype
  return name === undefined ? undefined : isDtypeName(name) ? dtypeOfName[name] : ofBlocks
}

const isDtypeName = (name: OutDtypeName): name is DtypeName => Object.hasOwn(dtypeOfName, name)

/** Gives the dtype that a tensor counts as having, where what is delivered is only an intermediate form of it. */
export const ownDtype = (source: TensorSource, { config }: Checkpoint): Dtype =>
  storedDtype(source, dtypeOfName[weightsDtype(config) ?? 'bfloat16'])
