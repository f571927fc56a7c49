import { expect, test } from 'vitest'
import { collectErrorClasses } from '../scripts/issue-rules.mjs'

/** As an input could have it: longer than any message may be, and acting on a terminal. */
const long = `\u001b[2J\u202e${'x'.repeat(20_000)}`
/** What a fact may be, as far as messages tell. */
const kinds: readonly unknown[] = [
  long,
  Array(3).fill(long),
  [1, 2],
  7,
  Array(30).fill([long, long]),
  Array(100).fill({ name: long, token: long, model: long, path: long }),
  Array(30).fill({ name: long, model: long, other: long, shape: [1, 2], tensors: [long] }),
  { name: long, line: 1, column: 1, values: [long] },
  { model: long, name: long, shape: [1, 2] },
  Array(30).fill({ name: long, shape: [1, 2], place: long, expected: [1, 2] }),
  Array(30).fill({
    path: long,
    layers: Array(30).fill({ place: 1, layer: 1, model: long, missing: [long], shapes: [long] }),
    partByLayer: [long],
    settings: [long],
  }),
]

/** Builds an error of a code whose facts are found out by trying, texts before anything else. */
function messageOf(Made: new (issue: never) => Error, code: string): string | undefined {
  let dice = 1
  for (let attempt = 0; attempt < 1000; attempt++) {
    const facts = new Map<string, unknown>()
    const issue = new Proxy({ code } as Record<string, unknown>, {
      get(target, key) {
        if (typeof key === 'symbol' || key === 'code') return target[key as string]
        dice = (dice * 48_271) % 2_147_483_647
        if (!facts.has(key)) facts.set(key, kinds[attempt === 0 || dice % 3 === 0 ? 0 : dice % kinds.length])
        return facts.get(key)
      },
    })
    try {
      return new Made(issue as never).message
    } catch {
      // Of another kind, then.
    }
  }
  return undefined
}

const classes = (await collectErrorClasses()) as { ErrorClass: { name: string; rules: object } }[]
const cases = classes.flatMap(({ ErrorClass }) =>
  Object.keys(ErrorClass.rules).map((code) => [ErrorClass.name, code, ErrorClass] as const),
)

test.each(cases)('%s %s: no fact makes the message long, or acts on a terminal', (_, code, ErrorClass) => {
  // What defineError made: the class itself may take more than an issue.
  const message = messageOf(Object.getPrototypeOf(ErrorClass) as never, code)
  expect(message, 'no kind of fact fits; add one to `kinds`').toBeDefined()
  expect(message!.length).toBeLessThan(4000)
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  expect(message).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
})
