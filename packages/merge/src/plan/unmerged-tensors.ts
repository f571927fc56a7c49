import { MergeError } from '../errors.ts'
import type { MergeNote } from './notes.ts'

/** Collects what is missing where, so that one error names it all. */
export class MissingTensors {
  private readonly found = new Map<
    string,
    { readonly model: string; readonly other: string; readonly tensors: string[] }
  >()
  private hasWayOut = false

  /** @param canBeMissing whether the recipe's `missing` could help */
  add(model: string, other: string, name: string, canBeMissing: boolean): void {
    this.hasWayOut ||= canBeMissing
    const key = `${model}\0${other}`
    const entry = this.found.get(key)
    if (entry === undefined) this.found.set(key, { model, other, tensors: [name] })
    else entry.tensors.push(name)
  }

  /** @throws MergeError 'missing-tensor' */
  throwIfAny(): void {
    if (this.found.size > 0)
      throw new MergeError({ code: 'missing-tensor', missing: [...this.found.values()], hasWayOut: this.hasWayOut })
  }
}

/** Why the method does not see a tensor of an input: a note that lacks the names. */
export type SetAsideReason = WithoutNames<
  Extract<
    MergeNote,
    {
      code:
        | 'head-not-written'
        | 'buffer-copied'
        | 'integers-copied'
        | 'copied-from-one'
        | 'text-part-lacks'
        | 'missing-from-base'
        | 'missing-left-out'
        | 'missing-from-others'
    }
  >
>
type WithoutNames<Note> = Note extends MergeNote ? Omit<Note, 'names'> : never

/** Collects the tensors of inputs that the method does not see, by the reason, so that one note names all that share it. */
export class SetAsideTensors {
  private readonly byReason = new Map<string, { readonly reason: SetAsideReason; readonly names: Set<string> }>()
  private readonly known = new Set<string>()

  add(reason: SetAsideReason, input: number, name: string): void {
    this.known.add(`${input}\0${name}`)
    const key = JSON.stringify(reason)
    const entry = this.byReason.get(key)
    if (entry === undefined) this.byReason.set(key, { reason, names: new Set([name]) })
    else entry.names.add(name)
  }

  has(input: number, name: string): boolean {
    return this.known.has(`${input}\0${name}`)
  }

  notes(): MergeNote[] {
    return [...this.byReason.values()].map(({ reason, names }) => ({ ...reason, names: [...names] }))
  }
}
