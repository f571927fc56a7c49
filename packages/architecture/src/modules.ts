import type { ModuleKind } from './layout.ts'
import type { Stack } from './stacks.ts'

/** A module before its tensors are known. */
export interface ModulePlan {
  readonly prefix: string
  readonly names: readonly string[]
  readonly kind: ModuleKind
  readonly stack: Stack | undefined
}

export const projectorName =
  /(?:^|\.)(?:multi_modal_projector|multimodal_projector|mm_projector|merger|deepstack_merger_list|connector|aligner)\./

/** mergekit's names for these parts, and the usual ones of transformers. */
const namesByKind: Readonly<Record<NonNullable<ModuleKind>, readonly string[]>> = {
  language: ['text_decoder', 'language_model', 'text_model'],
  vision: ['vision_tower', 'vision_model', 'visual'],
  audio: ['audio_tower', 'audio_encoder'],
  encoder: ['encoder'],
  decoder: ['decoder'],
  projector: ['multi_modal_projector'],
  rest: ['default', 'shared', 'multi_modal_projector'],
}
const order: readonly ModuleKind[] = ['language', 'encoder', 'decoder', 'vision', 'audio', undefined]

/** One module for at most one stack of layers; else one for each, named by the shortest prefix that is its own. */
export function planModules(stacks: readonly Stack[]): readonly ModulePlan[] {
  const [only] = stacks
  if (stacks.length <= 1)
    return [
      {
        prefix: '',
        names: unique(['default', ...(only === undefined ? [] : [only.path])]),
        kind: undefined,
        stack: only,
      },
    ]
  const kinds = kindsOf(stacks)
  const plans = stacks.map((stack, index) => {
    const kind = kinds[index]
    const prefix = ownPrefix(stack, stacks)
    const isOnlyOne = kinds.filter((other) => other === kind).length === 1
    const name = prefix.slice(0, -1)
    const last = name.split('.').at(-1)!
    const others = stacks.filter((other) => other !== stack)
    const lastIsOwn = others.every((other) => ownPrefix(other, stacks).slice(0, -1).split('.').at(-1) !== last)
    return {
      prefix,
      kind,
      stack,
      names: unique([
        name,
        stack.path,
        ...(lastIsOwn ? [last] : []),
        ...(kind !== undefined && isOnlyOne ? namesByKind[kind] : []),
      ]),
    }
  })
  return plans.sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind))
}

export function namesOfKind(kind: 'projector' | 'rest'): readonly string[] {
  return namesByKind[kind]
}

function ownPrefix(stack: Stack, stacks: readonly Stack[]): string {
  const segments = stack.path.split('.')
  const others = stacks.filter((other) => other !== stack).map(({ path }) => `${path}.`)
  for (let length = 1; length < segments.length; length += 1) {
    const prefix = `${segments.slice(0, length).join('.')}.`
    if (others.every((other) => !other.startsWith(prefix))) return prefix
  }
  const parent = segments.slice(0, -1).join('.')
  const siblings = others.some((other) => other.split('.').slice(0, -2).join('.') === parent)
  return parent === '' || siblings ? `${stack.path}.` : `${parent}.`
}

function kindsOf(stacks: readonly Stack[]): readonly ModuleKind[] {
  const direct = stacks.map(({ path }): ModuleKind => {
    if (/vision|visual|video|image|img|(?:^|[._])vit(?:$|[._])|siglip|pixtral/.test(path)) return 'vision'
    if (/audio|speech|acoustic/.test(path)) return 'audio'
    return undefined
  })
  const others = stacks.filter((_, index) => direct[index] === undefined)
  const sides = new Set(others.map(sideOf))
  const isEncoderDecoder =
    sides.has('encoder') && sides.has('decoder') && (hasTwin(others) || others.every(startsWithSide))
  const language =
    others.length === 1
      ? others[0]
      : (others.find(({ path }) => /language_model|text_model|llm/.test(path)) ?? undefined)
  return stacks.map((stack, index) => {
    if (direct[index] !== undefined) return direct[index]
    if (isEncoderDecoder && sideOf(stack) !== undefined) return sideOf(stack)
    return stack === language ? 'language' : undefined
  })
}

const side = /(?:^|\.)(encoder|decoder)(?:\.|$)/

function sideOf({ path }: Stack): 'encoder' | 'decoder' | undefined {
  return side.exec(path)?.[1] as 'encoder' | 'decoder' | undefined
}

function hasTwin(stacks: readonly Stack[]): boolean {
  return stacks.some(
    ({ path }) =>
      side.test(path) &&
      stacks.some((other) => other.path === path.replace('encoder', 'decoder') && other.path !== path),
  )
}

function startsWithSide({ path }: Stack): boolean {
  return /^(?:encoder|decoder)\./.test(path)
}

function unique(names: readonly string[]): readonly string[] {
  return [...new Set(names)]
}
