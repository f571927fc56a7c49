import { dtypeBytes, elementCount } from '@mk/safetensors'
import type { PlannedTensor } from './merge-plan.ts'

type Stored = Pick<PlannedTensor, 'dtype' | 'shape' | 'rows'>

/** Gives the bytes of an element in the file: not a whole number where elements lie in blocks. */
export const storedElementBytes = ({ dtype, rows }: Pick<Stored, 'dtype' | 'rows'>): number =>
  rows === undefined ? dtypeBytes(dtype) : rows.blockBytes / rows.blockElements

/** Counts the bytes that a tensor takes in its file. */
export const storedBytes = (tensor: Stored): number => elementCount(tensor.shape) * storedElementBytes(tensor)

/** Gives the name of the type that a tensor has in its file. */
export const storedType = ({ dtype, rows }: Pick<Stored, 'dtype' | 'rows'>): string => rows?.type ?? dtype
