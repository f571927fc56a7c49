import { join } from 'node:path'
import { expect, test } from 'vitest'
import { expectIssue, prepareIn } from '../__fixtures__/merge.ts'
import { tinyLlama, useFolder, writeLlamas, writeModel } from '../__fixtures__/models.ts'
import { distance, mergeAdapter, readModel, writeAdapter } from './__fixtures__/adapters.ts'

const folder = useFolder()
const q = 'model.layers.0.self_attn.q_proj'
const at = (name: string) => join(folder.path, name)
const merge = (text: string) => mergeAdapter(folder.path, text)

test('methods whose parameters name files give adapters, but not in another space', async () => {
  await writeLlamas(folder.path, { base: { hidden: 8 } })
  await writeAdapter(at('a'), { [q]: [8, 3, 8] })
  const factorOf = (i: number) => 1 + Math.sin(i * i)
  await writeModel(at('file'), {
    tensors: Object.fromEntries(
      Object.entries(tinyLlama({ hidden: 8 }).tensors).map(([name, each]) => [name, { ...each, value: factorOf }]),
    ),
  })
  const text = (method: string, model: string, file: string) =>
    `merge_method: ${method}\nbase_model: base\nmodels: [{ model: ${model}, parameters: { ${file}: file } }]\nout_format: lora\nrank: 8`
  const [own, base] = [await readModel(at('base'), at('a')), await readModel(at('base'))]
  const name = `${q}.weight`
  const change = (i: number) => own.get(name)![i]! - base.get(name)![i]!
  const masked = await merge(text('masked_task_arithmetic', 'base+a', 'mask'))
  const expected = own.get(name)!.map((_, i) => factorOf(i) * change(i))
  expect(distance(masked.product(q), expected)).toBeLessThan(1e-5)
  const fisher = await merge(text('fisher', 'base+a', 'importance'))
  expect(
    distance(
      fisher.product(q),
      own.get(name)!.map((_, i) => change(i)),
    ),
  ).toBeLessThan(1e-5)
  const knots = text('masked_task_arithmetic', 'base+a', 'mask').replace('rank: 8', 'adapter_space: knots')
  await expectIssue(prepareIn(folder.path, knots), 'adapter-space')
})
