import type { MergeInputs } from './merge-inputs.ts'
import { operationInputs } from './merge-plan.ts'
import type { UnplacedTensor } from './plan-files.ts'

/** Names what no output tensor is made from: whole layers by number, other tensors by name. */
export function noteUnused(tensors: readonly UnplacedTensor[], inputs: MergeInputs, note: (text: string) => void): void {
  const used = inputs.checkpoints.map(() => new Set<string>())
  for (const { operation } of tensors) for (const { input, name } of operationInputs(operation)) used[input]!.add(name)
  inputs.layouts.forEach((layout, input) => {
    for (const { prefix, tensors: all } of layout.modules) {
      const unused = all.filter(({ name }) => !used[input]!.has(name))
      const layers = [...new Set(unused.map(({ layer }) => layer).filter((layer) => layer !== undefined))]
      const whole = layers.filter((layer) => all.every((entry) => entry.layer !== layer || !used[input]!.has(entry.name)))
      const others = unused.filter(({ layer }) => layer === undefined || !whole.includes(layer)).map(({ name }) => name)
      const model = inputs.labels[input]!
      if (whole.length > 0) note(`${model}: ${whole.length === 1 ? 'layer' : 'layers'} ${ranges(whole)}${prefix === '' ? '' : ` of ${prefix}`} not used`)
      if (others.length > 0) note(`${model}: ${listed(others)} not used`)
    }
  })
}

const listed = (names: readonly string[]) => (names.length > 4 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', '))

/** 0, 1, 2, 5 → '0–2, 5' */
function ranges(numbers: readonly number[]): string {
  const runs: [number, number][] = []
  for (const value of [...numbers].sort((a, b) => a - b)) {
    const last = runs.at(-1)
    if (last !== undefined && last[1] === value - 1) last[1] = value
    else runs.push([value, value])
  }
  return runs.map(([first, last]) => (first === last ? String(first) : `${first}–${last}`)).join(', ')
}
