import { limits } from './limits.ts'
import type { TensorFacts } from './layout.ts'

/** Tensors that differ in the number right after `path`. */
export interface Stack {
  /** Without the dot: `model.layers`. */
  readonly path: string
  /** Ascending. */
  readonly numbers: readonly number[]
  readonly members: readonly StackMember[]
}

export interface StackMember {
  readonly tensor: TensorFacts
  readonly number: number
  /** What follows the number, with the dot. */
  readonly suffix: string
}

interface Node extends Stack {
  /** Those whose numbers come next, found only where they are asked for: most are experts in layers. */
  nested(): readonly Node[]
}

interface NumberedMember extends StackMember {
  /** Where its suffix begins in the name. */
  readonly end: number
}

const layerWord = /^(?:h|layers?|blocks?|stages?|resblocks|cells)$|_(?:layers?|blocks?)$/
const notLayers = /conv|mtp|merger|expert|head|proj|adapter|classifier|downsample|resnet|embed|router|^mlp$|prompt|lora/

/**
 * The numbered segments that count layers. The outermost one wins, so that experts and sub-layers stay inside their layer;
 * where it counts something else (towers, experts that are whole models) the next one inside is looked at.
 */
export function findLayerStacks(tensors: readonly TensorFacts[], knownCounts: ReadonlySet<number>): readonly Stack[] {
  const roots = group(tensors, () => 0)
  const sure = select(roots, (stack) => isSurelyLayers(stack, knownCounts))
  if (sure.length > 0) return sure
  const guesses = select(roots, mayBeLayers)
  const largest = guesses.reduce((most, { members }) => Math.max(most, members.length), 0)
  return guesses.filter(({ members }) => members.length * 2 > largest)
}

/** @param from where a tensor's name is looked at from: its start, or what follows the number before */
function group(tensors: readonly TensorFacts[], from: (index: number) => number, depth = 0): readonly Node[] {
  if (depth === limits.nestedNumbers) return []
  const numberedSegment = /(?:^|\.)(0|[1-9]\d{0,5})(?=\.)/g
  const byPath = new Map<string, NumberedMember[]>()
  for (const [index, tensor] of tensors.entries()) {
    const { name } = tensor
    numberedSegment.lastIndex = from(index)
    const found = numberedSegment.exec(name)
    if (found === null) continue
    const path = name.slice(0, found.index)
    const end = numberedSegment.lastIndex
    const member = { tensor, end, number: Number(found[1]), suffix: name.slice(end) }
    const members = byPath.get(path)
    if (members === undefined) byPath.set(path, [member])
    else members.push(member)
  }
  return [...byPath].map(([path, members]) => ({
    path,
    numbers: [...new Set(members.map(({ number }) => number))].sort((a, b) => a - b),
    members,
    nested: () =>
      group(
        members.map(({ tensor }) => tensor),
        (index) => members[index]!.end,
        depth + 1,
      ),
  }))
}

function select(nodes: readonly Node[], accepts: (stack: Stack) => boolean): Stack[] {
  return nodes.flatMap((node) => (accepts(node) ? [node] : select(node.nested(), accepts)))
}

function isSurelyLayers(stack: Stack, knownCounts: ReadonlySet<number>): boolean {
  if (!hasUsualForm(stack)) return false
  if (layerWord.test(lastSegment(stack))) return true
  return knownCounts.has(stack.numbers.length) && mayBeLayers(stack)
}

/** Without a telling name: at least two numbers from 0 on without a gap, most tensors in more than one of them. */
function mayBeLayers(stack: Stack): boolean {
  if (!hasUsualForm(stack) || stack.numbers.length < 2 || stack.numbers.at(-1) !== stack.numbers.length - 1)
    return false
  const seen = new Map<string, number>()
  for (const { suffix } of stack.members) seen.set(suffix, (seen.get(suffix) ?? 0) + 1)
  return stack.members.filter(({ suffix }) => seen.get(suffix)! > 1).length * 2 > stack.members.length
}

/** Layers have several tensors each and few gaps between their numbers (one that does nothing has no tensors); what has one or two is a list of weights or a convolution with its bias. */
function hasUsualForm(stack: Stack): boolean {
  const segments = stack.path.split('.')
  if (stack.path === '' || segments.some((segment) => /^mtp|_mtp$/.test(segment)) || notLayers.test(segments.at(-1)!))
    return false
  if (stack.numbers.at(-1)! > stack.numbers.length * 2) return false
  // The matrices of a perceptron.
  if (stack.members.every(({ suffix }) => /^\.(?:\d+\.)?(?:weight|bias)$/.test(suffix))) return false
  const perNumber = stack.members.length / stack.numbers.length
  return perNumber > 2 || (perNumber >= 1 && layerWord.test(segments.at(-1)!))
}

function lastSegment(stack: Stack): string {
  return stack.path.split('.').at(-1)!
}
