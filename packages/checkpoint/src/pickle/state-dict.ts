import { CheckpointError } from '../errors.ts'
import { describeValue, isKind, type PickleDict, type PickleTensor, type PickleValue } from './machine/pickle-value.ts'

/** The tensors of a pickled object by name, in its order, and what was left out. */
export interface StateDict {
  readonly tensors: ReadonlyMap<string, PickleTensor>
  readonly notes: readonly string[]
}

/** Where training tools keep the state dict beside epoch, optimizer and the like. */
const wrappers = ['state_dict', 'model', 'model_state_dict', 'module', 'params_ema', 'params']

/**
 * Selects the state dict of a file: the object itself if it is a dict that holds tensors, else the dict of tensors under one of
 * the names that training tools use. A `state_dict` inside goes before tensors beside it.
 * @throws `pickle-no-state-dict`, `pickle-key`
 */
export function selectStateDict(root: PickleValue, file: string): StateDict {
  const found = isKind(root, 'dict') ? locate(root) : undefined
  if (found === undefined) throw new CheckpointError({ code: 'pickle-no-state-dict', file, found: describeValue(root) })
  const tensors = new Map<string, PickleTensor>()
  const others: string[] = []
  for (const [key, value] of found.dict.entries) {
    if (!isKind(value, 'tensor')) others.push(typeof key === 'string' ? key : describeValue(key))
    else if (typeof key !== 'string') throw new CheckpointError({ code: 'pickle-key', file, found: describeValue(key) })
    else tensors.set(key, value)
  }
  const notes: string[] = []
  if (found.beside.length > 0)
    notes.push(`${file}: tensors were taken from '${found.wrapper}'; left out beside it: ${list(found.beside)}`)
  if (others.length > 0) notes.push(`${file}: left out what is no tensor: ${list(others)}`)
  return { tensors, notes }
}

const holdsTensors = (value: PickleValue | undefined): value is PickleDict =>
  isKind(value, 'dict') && [...value.entries.values()].some((entry) => isKind(entry, 'tensor'))

function locate(root: PickleDict): { dict: PickleDict; wrapper: string; beside: readonly string[] } | undefined {
  const rootHolds = holdsTensors(root)
  for (const wrapper of rootHolds ? wrappers.slice(0, 1) : wrappers) {
    const dict = root.entries.get(wrapper)
    if (holdsTensors(dict)) {
      const beside = [...root.entries.keys()].filter((key) => key !== wrapper)
      return { dict, wrapper, beside: beside.map((key) => (typeof key === 'string' ? key : describeValue(key))) }
    }
  }
  return rootHolds ? { dict: root, wrapper: '', beside: [] } : undefined
}

const list = (names: readonly string[]): string => {
  const shown = names.slice(0, 8).map((name) => (name.length > 80 ? `${name.slice(0, 80)}…` : name))
  return `${shown.join(', ')}${names.length > shown.length ? ` and ${names.length - shown.length} more` : ''}`
}
