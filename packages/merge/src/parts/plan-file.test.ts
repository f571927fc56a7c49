import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { builtinMethods } from '@mk/methods'
import { beforeEach, describe, expect, test } from 'vitest'
import { expectIssue, prepareIn } from '../__fixtures__/merge.ts'
import { useFolder, writeLlamas } from '../__fixtures__/models.ts'
import { planFileIn } from '../__fixtures__/parts.ts'
import { listParts } from './partition.ts'
import { readPlanFile } from './plan-file-io.ts'
import type { PlanFile } from './plan-file.ts'

const folder = useFolder()
const file = () => join(folder.path, 'plan.json')
let plan: PlanFile
beforeEach(async () => {
  await writeLlamas(folder.path, { a: {}, b: { rows: 8 } })
  plan = await planFileIn(
    folder.path,
    'merge_method: slerp\nbase_model: a\nmodels: [{model: b}]\nparameters: {t: 0.3}\n',
  )
})

/** What of the JSON a stranger has changed. */
interface Body {
  readonly files: unknown[]
  readonly plan: {
    readonly documents: { name: string }[]
    readonly files: { name: string; fileBytes: number }[]
    readonly inputs: unknown[]
    readonly tensors: number[][]
    readonly kinds: {
      readonly operation: {
        readonly base: { input: number; readonly source: { shape: number[]; place: number } }
        readonly models: { readonly source: { readonly source: { shape: number[] } } }[]
        readonly parameters: Record<string, unknown>
      }
    }[]
  }
}

/** Writes a changed plan whose checksum fits. */
async function forge(change: (body: Body) => void): Promise<void> {
  const {
    format,
    version,
    id: _,
    madeAt,
    ...body
  } = JSON.parse(await readFile(file(), 'utf8')) as Body & Record<string, unknown>
  change(body as unknown as Body)
  const id = createHash('sha256').update(JSON.stringify(body)).digest('hex')
  await writeFile(file(), JSON.stringify({ format, version, id, madeAt, ...body }))
}

test('a plan file is read as what was written, and takes little room', async () => {
  expect(await readPlanFile(file())).toEqual(plan)
  const { length } = await readFile(file())
  expect(length).toBeLessThan(12_000)
})

describe('a plan file is refused with one error', () => {
  test.each<[string, (text: string) => string, string]>([
    ['cut off', (text) => text.slice(0, -200), 'it is no JSON, or was cut off'],
    ['empty', () => '', 'it is empty'],
    ['of another kind', () => '{"models": []}', 'it is no plan of mk'],
    ['changed by hand', (text) => text.replace('"seed":0', '"seed":1'), 'it was changed after it was written'],
    ['nested for ever', () => '['.repeat(100_000), 'nested more than 64 levels deep'],
    ['with a key too many', (text) => text.replace('"program"', '"x":1,"program"'), 'x'],
  ])('that is %s', async (_, change, problem) => {
    await writeFile(file(), change(await readFile(file(), 'utf8')))
    expect(await expectIssue(readPlanFile(file()), 'plan-invalid', { file: file() })).toContain(problem)
  })

  test('of another version, or that is not there', async () => {
    await writeFile(file(), (await readFile(file(), 'utf8')).replace('"version":1', '"version":2'))
    await expectIssue(readPlanFile(file()), 'plan-version', { found: '2', known: 1 })
    await expectIssue(readPlanFile(join(folder.path, 'none.json')), 'plan-missing')
  })

  test.each<[string, (body: Body) => void, string]>([
    ['a file above the output', ({ plan: { documents } }) => (documents[0]!.name = '../x'), 'plan.documents[0].name'],
    ['an absolute path', ({ plan: { files } }) => (files[0]!.name = '/etc/passwd'), 'plan.files[0].name'],
    ['a file twice', ({ plan: { documents, files } }) => (documents[0]!.name = files[0]!.name), 'that another file'],
    ['no input', ({ plan: { inputs } }) => inputs.splice(0), 'plan.inputs'],
    ['an input that is none', ({ files }) => files.splice(1), 'there is no file'],
    ['a kind that is none', ({ plan: { tensors } }) => (tensors[2]![1] = 99), 'plan.tensors[2]: there is no kind 99'],
    ['a place too few', ({ plan: { tensors } }) => tensors[1]!.pop(), 'plan.tensors[1]'],
    ['a tensor elsewhere', ({ plan: { tensors } }) => (tensors[1]![3]! += 8), 'lie elsewhere than the format has them'],
    ['a file of another size', ({ plan: { files } }) => files[0]!.fileBytes++, 'plan.files[0]'],
    ['a negative byte', ({ plan: { tensors } }) => (tensors[1]![5] = -1), 'plan.tensors[1][5]'],
    [
      'an input of another size',
      ({ plan: { kinds } }) => (kinds[0]!.operation.base.source.shape = [2, 2]),
      'another size than its tensor',
    ],
    [
      'a cut larger than what it is of',
      ({ plan: { kinds } }) => (kinds[0]!.operation.models[0]!.source.source.shape = [1, 4]),
      'larger than what it is cut from',
    ],
    ['a model that is none', ({ plan: { kinds } }) => (kinds[0]!.operation.base.input = 7), 'there is no input 7'],
    [
      'a place that is none',
      ({ plan: { kinds } }) => (kinds[0]!.operation.base.source.place = 5),
      'plan.kinds[0]: a place past',
    ],
  ])('that has %s', async (_, change, problem) => {
    await forge(change)
    expect(await expectIssue(readPlanFile(file()), 'plan-invalid')).toContain(problem)
  })

  test.each<[string, unknown]>([
    ['no number', 'x'],
    ['one for each model', [0.3]],
  ])('whose method takes no parameter that is %s', async (_, t) => {
    await forge(({ plan: { kinds } }) => (kinds[0]!.operation.parameters.t = t))
    expect(await expectIssue(readPlanFile(file()), 'plan-invalid')).toContain('slerp takes no t of')
  })
})

test('the plan of every built-in method is read again', async () => {
  await writeLlamas(folder.path, { c: {}, d: {} })
  const notPlanned: string[] = []
  const read: (readonly [unknown, unknown])[] = []
  for (const { name, base, models, parameters } of builtinMethods.values()) {
    const values = Object.keys({ ...parameters.perModel, ...parameters.methodWide }).flatMap(
      (parameter) => ({ weight: 'weight: 0.5', density: 'density: 0.5', t: 't: 0.4' })[parameter] ?? [],
    )
    const used = ['c', 'd', 'a'].slice(0, models.max ?? 2).map((model) => `{model: ${model}}`)
    const text = [
      `merge_method: ${name}`,
      `models: [${used.join(', ')}]`,
      ...(base === 'required' ? ['base_model: a'] : []),
      `parameters: {${values.join(', ')}}`,
    ].join('\n')
    const prepared = await prepareIn(folder.path, text).catch(() => undefined)
    if (prepared === undefined) notPlanned.push(name)
    else read.push([prepared.plan.tensors, (await planFileIn(folder.path, text)).plan.tensors])
  }
  for (const [planned, found] of read) expect(found).toEqual(planned)
  // What needs more than two models and these parameters.
  expect(notPlanned.length).toBeLessThan(5)
})

test('parts divide all of a plan, each tensor once, and balance what they cost', async () => {
  for (const of of [1, 2, 3, 7, 50]) {
    const parts = await listParts(plan, of)
    expect(parts.map(({ part }) => part)).toEqual(Array.from({ length: of }, (_, index) => index + 1))
    expect(parts.flatMap(({ tensors }) => tensors.map(({ tensor }) => tensor))).toEqual([...plan.plan.tensors.keys()])
    const costs = parts.map(({ cost }) => cost)
    const total = costs.reduce((sum, cost) => sum + cost, 0)
    const [all] = await listParts(plan, 1)
    expect(total).toBeCloseTo(all!.cost)
    const largest = Math.max(...(await listParts(plan, 1000)).map(({ cost }) => cost))
    expect(Math.max(...costs)).toBeLessThanOrEqual(total / of + largest)
  }
})

test('what parts read and write is counted from nothing, and only what they do', async () => {
  const none = { tensors: [], readBytes: 0, writtenBytes: 0, cost: 0 }
  const parts = await listParts(plan, 50)
  expect(parts.find(({ tensors }) => tensors.length === 0)).toMatchObject(none)
  const [all] = await listParts(plan, 1)
  for (const key of ['readBytes', 'writtenBytes'] as const)
    expect(parts.reduce((sum, part) => sum + part[key], 0)).toBeCloseTo(all![key])
})
