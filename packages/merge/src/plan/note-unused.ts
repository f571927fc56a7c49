import { listNames, listNumbers } from '../list-names.ts'
import type { MergeInputs } from './merge-inputs.ts'
import { operationInputs } from './merge-plan.ts'
import type { UnplacedTensor } from './plan-files.ts'
import type { SetAsideTensors } from './unmerged-tensors.ts'

/** Names what no output tensor is made from and no other note tells: whole layers by number, other tensors by name. */
export function noteUnused(
  tensors: readonly UnplacedTensor[],
  setAside: SetAsideTensors,
  inputs: MergeInputs,
  note: (text: string) => void,
): void {
  const used = inputs.checkpoints.map(() => new Set<string>())
  for (const { operation } of tensors) for (const { input, name } of operationInputs(operation)) used[input]!.add(name)
  inputs.layouts.forEach((layout, input) => {
    const model = inputs.labels[input]!
    if (used[input]!.size === 0 && inputs.checkpoints[input]!.tensors.size > 0) {
      const role =
        input === inputs.donor ? 'only gives its config and tokenizer' : 'is not merged, its tokenizer may be used'
      return note(`${model} ${role}: none of its tensors is in the output`)
    }
    for (const { prefix, tensors: all } of layout.modules) {
      const unused = all.filter(({ name }) => !used[input]!.has(name) && !setAside.has(input, name))
      const layers = new Set(unused.flatMap(({ layer }) => (layer === undefined ? [] : [layer])))
      const partly = new Set(
        all.flatMap(({ layer, name }) => (layer !== undefined && used[input]!.has(name) ? [layer] : [])),
      )
      const whole = [...layers].filter((layer) => !partly.has(layer))
      const others = unused.filter(({ layer }) => layer === undefined || partly.has(layer)).map(({ name }) => name)
      if (whole.length > 0)
        note(
          `${model}: ${whole.length === 1 ? 'layer' : 'layers'} ${listNumbers(whole)}${prefix === '' ? '' : ` of ${prefix.slice(0, -1)}`} not used`,
        )
      if (others.length > 0) note(`${model}: ${listNames(others)} not used`)
    }
  })
}
