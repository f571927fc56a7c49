import { builtinMethods, type MethodDefinition } from '@mk/methods'
import { add, div, type Expression, mul, neg, sub } from '@mk/tensor'
import { expect, test } from 'vitest'
import { linearForm } from './linear-form.ts'

const number = (value: number): Expression => ({ op: 'number', value })
type Formula = (base: Expression, models: readonly Expression[]) => Expression

/** Of a base and two models. */
async function formOf(formula: Formula): Promise<readonly number[] | undefined> {
  const merge: MethodDefinition['merge'] = ({ base, models }) => formula(base!, models)
  const given = { hasBase: true, modelCount: 2, parameters: {} }
  const form = await linearForm({ ...builtinMethods.get('linear')!, merge }, given, { name: 'w', shape: [2] })
  return form && [...form]
}

test.each<[string, Formula, readonly number[]]>([
  ['base', (base) => base, [1, 0, 0]],
  ['−x', (_, [x]) => neg(x!), [0, -1, 0]],
  ['base + y', (base, [, y]) => add(base, y!), [1, 0, 1]],
  ['x − y', (_, [x, y]) => sub(x!, y!), [0, 1, -1]],
  ['2·x', (_, [x]) => mul(number(2), x!), [0, 2, 0]],
  ['x·2', (_, [x]) => mul(x!, number(2)), [0, 2, 0]],
  ['(x + base) ÷ 4', (base, [x]) => div(add(x!, base), number(4)), [0.25, 0.25, 0]],
  ['x + 1 − 1', (_, [x]) => sub(add(x!, number(1)), number(1)), [0, 1, 0]],
])('%s is a sum of products', async (_, formula, expected) => {
  expect(await formOf(formula)).toEqual(expected.map((each) => expect.closeTo(each, 12)))
})

test.each<[string, Formula]>([
  ['x + 1', (_, [x]) => add(x!, number(1))],
  ['x·y', (_, [x, y]) => mul(x!, y!)],
  ['x ÷ y', (_, [x, y]) => div(x!, y!)],
  ['1 ÷ x', (_, [x]) => div(number(1), x!)],
  ['|x|', (_, [x]) => ({ op: 'abs', a: x! }) as Expression],
  ['|x| + y', (_, [x, y]) => add({ op: 'abs', a: x! } as Expression, y!)],
  ['y − |x|', (_, [x, y]) => sub(y!, { op: 'abs', a: x! } as Expression)],
  ['2·|x|', (_, [x]) => mul(number(2), { op: 'abs', a: x! } as Expression)],
  ['what comes after the models', () => ({ op: 'input', slot: 3 }) as Expression],
])('%s is none', async (_, formula) => {
  expect(await formOf(formula)).toBeUndefined()
})
