import { describe, expect, it } from 'vitest'
import { ConfigError } from './errors.ts'
import { parseModelReference } from './model-reference.ts'
import { readRecipes } from './read-recipes.ts'

const recipe = (models: readonly string[], name?: string) =>
  `${name === undefined ? '' : `name: ${name}\n`}merge_method: linear\nmodels: [${models.map((model) => `{model: ${model}}`).join(', ')}]\n`
const file = (...recipes: readonly string[]) => recipes.join('---\n')
const issuesOf = (text: string) => {
  const { recipes, issues } = readRecipes(text, { file: 'r.yml' })
  const all = [...recipes.flatMap((each) => each.issues), ...issues]
  return all.map((issue) => new ConfigError([issue]).message)
}

describe('several recipes in a file', () => {
  it('follow in the order in which they are made of one another, the output last', () => {
    const text = file(
      recipe(['left', 'right']),
      recipe(['root', 'c'], 'right'),
      recipe(['root+lora'], 'left'),
      recipe(['{base: a, plus: [{model: seed}]}'], 'root'),
      recipe(['x'], 'unused'),
      recipe(['b'], 'seed'),
    )
    const { recipes, order, issues } = readRecipes(text)
    expect(issues).toEqual([])
    expect(order.map((index) => recipes[index]!.config!.name)).toEqual([
      'seed',
      'root',
      'right',
      'left',
      'unused',
      undefined,
    ])
    expect(recipes[3]!.locate(['models', 0, 'model'])).toEqual({ line: 14, column: 18 })
  })

  it('are one where the others hold nothing', () => {
    const { recipes, order } = readRecipes(file('', recipe(['a']), '# nothing\n', ''))
    expect([recipes.length, order]).toEqual([1, [0]])
    expect(recipes[0]!.config!.name).toBeUndefined()
  })

  it('may end with documents that hold nothing', () => {
    const { recipes, issues } = readRecipes(file(recipe(['b'], 'a'), recipe(['a']), '\n', '# the end\n'))
    expect([recipes.length, issues]).toEqual([2, []])
  })

  it('may all have names where that is allowed, even one alone', () => {
    const { recipes, order, issues } = readRecipes(file(recipe(['b'], 'a'), recipe(['x'], 'b')), { allNamed: true })
    expect([issues, order.map((index) => recipes[index]!.config!.name)]).toEqual([[], ['b', 'a']])
    expect(readRecipes(recipe(['x'], 'a'), { allNamed: true })).toMatchObject({
      issues: [],
      order: [0],
      recipes: [{ issues: [], config: { name: 'a' } }],
    })
  })

  it('do not share anchors', () => {
    expect(() => readRecipes('name: a\nmerge_method: &m linear\nmodels: [{model: x}]\n---\nmerge_method: *m')).toThrow(
      /'\*m' refers to no anchor|Unresolved alias/,
    )
  })
})

describe('what is wrong with names is told with its place', () => {
  it.each([
    [
      'two outputs',
      file(recipe(['a']), recipe(['b'])),
      [
        "r.yml:4:1: two merges have no name, the other at r.yml:1:1; one is the output, and all others need a name ('name: …' at the top of their document)",
      ],
    ],
    [
      'no output',
      file(recipe(['x'], 'a'), recipe(['y'], 'b')),
      ['r.yml:5:7: all merges of the file have names (a, b); leave out the name of the one that is the output'],
    ],
    [
      'one name twice',
      file(recipe(['x'], 'a'), recipe(['y'], 'a'), recipe(['a'])),
      ["r.yml:5:7: two merges are called 'a', the other at r.yml:1:7; each needs a name of its own"],
    ],
    [
      'a cycle',
      file(recipe(['b'], 'a'), recipe(['a'], 'b'), recipe(['a'])),
      ['r.yml:7:18: merges that are made of one another: a of b of a; one of them has to begin'],
    ],
    [
      'a merge of itself',
      file(recipe(['{base: x, plus: [{model: a}]}'], 'a'), recipe(['a'])),
      ['r.yml:3:43: merges that are made of one another: a of a; one of them has to begin'],
    ],
    [
      'a revision',
      file(recipe(['x'], 'a'), recipe(['a@main'])),
      ["r.yml:6:18: models[0].model: 'a' is a merge of this file; it has no revisions; leave out '@main'"],
    ],
    [
      'a merge as adapter',
      file(recipe(['x'], 'a'), recipe(['y+a'])),
      ["r.yml:6:18: models[0].model: 'a' is a merge of this file; it is a whole model, no adapter"],
    ],
    [
      'a name that is none',
      file(recipe(['x'], 'a/b'), recipe(['y'])),
      ["r.yml:1:7: the name of a merge is the text 'a/b', which can't name a model and a folder: it has a '/' in it"],
    ],
    ...[
      ['.a', 'it starts with a dot'],
      ['" a"', 'it has a space around it'],
      ['"a\\u202eb"', 'it has a character in it that no screen shows'],
      ['"a\\nb"', 'it has a character in it that no screen shows'],
      ['a'.repeat(101), 'expected at most 100 characters'],
    ].map(([name, reason]): [string, string, unknown[]] => [
      `a name that is none: ${name}`,
      file(recipe(['x'], name), recipe(['y'])),
      [expect.stringContaining(`which can't name a model and a folder: ${reason}`)],
    ]),
    [
      'an empty name',
      file(recipe(['y']), recipe(['x'], '')),
      ["r.yml:4:7: the name of a merge is empty, expected a word; leave out 'name' where the merge is the output"],
    ],
  ])('%s', (_, text, expected) => expect(issuesOf(text)).toEqual(expected))

  it('leave no order, be it one thing that is wrong', () => {
    const { issues, order } = readRecipes(file(recipe(['x'], 'a'), recipe(['y+a'])))
    expect([issues.length, order]).toEqual([1, []])
  })

  it('cuts what is said of merges in a circle, and says how long it is', () => {
    const names = Array.from({ length: 100 }, (_, index) => `merge-${index}`)
    const { message } = new ConfigError([{ code: 'merges-in-a-circle', names, path: [], position: undefined }])
    const said = names.join(' of ').slice(0, 300)
    expect(message).toMatch(new RegExp(`: ${said.slice(0, 100)}`))
    expect(message.split(/: |; /)[2]).toHaveLength(319)
  })
})

describe('a sum of models', () => {
  it('is a reference that writes it out', () => {
    const { path, sum } = parseModelReference({
      base: 'a@v1',
      plus: [
        { model: 'b+lora', weight: 0.5 },
        { model: { base: 'c', plus: [{ model: 'd', weight: -1 }] }, weight: -2 },
      ],
    })
    expect(path).toBe('a@v1 + 0.5 · b+lora - 2 · (c - d)')
    expect(sum!.plus[1]!.weight).toBe(-2)
    expect(parseModelReference({ base: 'a', plus: [{ model: 'b' }] }).path).toBe('a + b')
  })

  it.each([
    ['{base: a}', "models[0].model needs 'plus'; a sum of models is written {base, plus: [{model, weight}]}"],
    [
      '{plus: [{model: a}]}',
      "models[0].model needs 'base'; a sum of models is written {base, plus: [{model, weight}]}",
    ],
    ['{base: a, plus: []}', 'models[0].model.plus is an empty list, expected a list of {model, weight}'],
    ['{base: a, plus: [{weight: 1}]}', "models[0].model.plus[0] needs 'model'"],
    [
      '{base: a, plus: [{model: b, weight: much}]}',
      "models[0].model.plus[0].weight is the text 'much', expected a number",
    ],
    ['{base: a, plus: [b]}', "models[0].model.plus[0] is the text 'b', expected {model, weight}"],
    ['{base: a, plus: [{model: b}], minus: c}', "unknown key 'minus' in models[0].model"],
  ])('%s is refused', (model, message) => {
    expect(issuesOf(recipe([model])).join()).toContain(message)
  })
})
