import { MergeError } from '../errors.ts'
import { listNames } from '../list-names.ts'

/** Collects what is missing where, so that one error names it all. */
export class MissingTensors {
  private readonly found = new Map<
    string,
    { readonly model: string; readonly other: string; readonly tensors: string[] }
  >()

  add(model: string, other: string, name: string): void {
    const key = `${model}\0${other}`
    const entry = this.found.get(key)
    if (entry === undefined) this.found.set(key, { model, other, tensors: [name] })
    else entry.tensors.push(name)
  }

  /** @throws MergeError 'missing-tensor' */
  throwIfAny(): void {
    if (this.found.size > 0) throw new MergeError({ code: 'missing-tensor', missing: [...this.found.values()] })
  }
}

/** Collects the tensors of inputs that the method does not see, by the reason, so that one note names all that share it. */
export class SetAsideTensors {
  private readonly byReason = new Map<string, Set<string>>()
  private readonly known = new Set<string>()

  /** @param reason a sentence with `{names}` in it */
  add(reason: string, input: number, name: string): void {
    this.known.add(`${input}\0${name}`)
    const names = this.byReason.get(reason)
    if (names === undefined) this.byReason.set(reason, new Set([name]))
    else names.add(name)
  }

  has(input: number, name: string): boolean {
    return this.known.has(`${input}\0${name}`)
  }

  notes(): string[] {
    return [...this.byReason].map(([reason, names]) => reason.replace('{names}', () => listNames(names)))
  }
}
