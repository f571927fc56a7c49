import { expect, it } from 'vitest'
import { failureOf, faultsOf } from './__fixtures__/failures.ts'
import { nodeToPlain } from './config-tree.ts'
import { parseYaml } from './parse-yaml.ts'

const plain = (text: string): unknown => nodeToPlain(parseYaml(text))

it('reads anchors, aliases and merge keys', () => {
  const text =
    'base: &base {weight: 1, density: 0.5}\na: *base\nb: {<<: *base, weight: 2}\nc: {<<: [{weight: 3}, *base]}'
  const base = { weight: 1, density: 0.5 }
  expect(plain(text)).toEqual({ base, a: base, b: { weight: 2, density: 0.5 }, c: { weight: 3, density: 0.5 } })
})

it('takes a quoted << for an ordinary key', () => {
  expect(plain('{"<<": 1}')).toEqual({ '<<': 1 })
})

it('reads a mapping with very many keys', () => {
  const text = Array.from({ length: 20_000 }, (_, i) => `k${i}: 1`).join('\n')
  expect(Object.keys(plain(text) as object)).toHaveLength(20_000)
})

it('lets a later anchor replace an earlier one of the same name', () => {
  expect(plain('[&a 1, *a, &a 2, *a]')).toEqual([1, 1, 2, 2])
})

it('reads CRLF and a byte order mark', () => {
  expect(plain('\uFEFFa: 1\r\nb: 2\r\n')).toEqual({ a: 1, b: 2 })
})

it('reads JSON', () => {
  expect(plain('{"a": [1, null, true], "b": {"c": "x"}}')).toEqual({ a: [1, null, true], b: { c: 'x' } })
})

it('keeps keys that are special to JavaScript as data', () => {
  expect(Object.keys(plain('{__proto__: {polluted: 1}}') as object)).toEqual(['__proto__'])
  expect(({} as { polluted?: number }).polluted).toBeUndefined()
})

it.each([
  ['nothing', '', '1:1: not valid YAML: there is nothing in it'],
  ['only comments', '# a\n---\n# b', '1:1: not valid YAML: there is nothing in it'],
  ['a duplicate key', 'a: 1\nb: 2\na: 3', `3:1: not valid YAML: the key 'a' is given twice in one mapping`],
  ['an unknown alias', 'a: *b', `1:4: not valid YAML: '*b' refers to no anchor '&b' before it`],
  ['a Windows path in double quotes', 'a: "C:\\Users"', 'a Windows path stands in single quotes or in none'],
  ['a tab as indentation', 'a:\n\tb: 1', '2:1: not valid YAML: tabs are not allowed as indentation'],
  ['a mapping as a key', '? {a: 1}\n: 2', '1:3: not valid YAML: a key must be a word'],
  ['a merge of something else', 'a: {<<: 3}', `1:9: not valid YAML: '<<' takes a mapping`],
  ['an unclosed bracket', 'a: [1,', '1:7: not valid YAML'],
  ['unknown tags', 'a: !!python/object:os.system x', 'not valid YAML'],
])('rejects %s', (_, text, message) => {
  const error = failureOf(text)
  expect(error.code).toBe('invalid-yaml')
  expect(error.message).toContain(message)
})

it.each([
  '['.repeat(2e6),
  '{a: '.repeat(1e6),
  '- '.repeat(2e6),
  `${'['.repeat(200)}${']'.repeat(200)}`,
  `a: ${'['.repeat(99)}`,
])('rejects deep nesting (%#)', (text) => {
  expect(faultsOf(text)).toEqual([
    expect.stringMatching(/^config:1:\d+: not valid YAML: it is nested more than 100 levels deep$/),
  ])
})

it('reads what is nested less deeply', () => {
  expect(plain(`${'['.repeat(98)}1${']'.repeat(98)}`)).toBeInstanceOf(Array)
})

it('rejects a file that is no config by its size', () => {
  expect(failureOf('#'.repeat(5_000_000)).message).toContain('5000000 characters, where at most 4194304 are read')
})

it.each([
  ['list items', 'models:\n' + '- a\n'.repeat(2e5), 'words and marks'],
  ['comments', '#\n'.repeat(1e5), /words and marks|lines/],
  ['blank lines', `a: 1${'\n'.repeat(2e5)}`, /words and marks|lines/],
  ['lines of a block', `a: |\n${'  x\n'.repeat(2e5)}`, 'lines'],
  ['tags', '!a '.repeat(2e5), 'more than 1000 tags'],
  ['documents', '---\n'.repeat(2e5), 'more than 100 documents'],
  ['filters', `a: [${'{filter: zz, value: 1},'.repeat(6e4)}]`, 'words and marks'],
  ['slices', `slices: [${'{sources: [{model: a, layer_range: [0, 2]}]},'.repeat(8e4)}]`, 'words and marks'],
])('rejects more %s than any config has', (_, text, reason) => {
  const { code, message } = failureOf(text)
  expect(code).toBe('invalid-yaml')
  expect(message).toMatch(reason)
})

it('accepts as many tags as the limit says', () => {
  expect(plain('- !!str a\n'.repeat(1000))).toHaveLength(1000)
  expect(failureOf('- !!str a\n'.repeat(1001)).message).toContain('more than 1000 tags')
})

it.each([
  ['lines', 100_000, (count: number) => `a: |\n${'  x\n'.repeat(count - 2)}`],
  ['documents', 100, (count: number) => `${'---\n'.repeat(count)}a: 1`],
  ['levels deep', 100, (count: number) => `${'- '.repeat(count - 2)}1`],
])('accepts as many %s as the limit says, %d', (name, limit, text) => {
  expect(() => parseYaml(text(limit))).not.toThrow()
  expect(() => parseYaml(text(limit + 1))).toThrow(`more than ${limit} ${name}`)
})

it('accepts as many characters as the limit says', () => {
  const text = (characters: number) => `a: 1 #${'x'.repeat(characters - 6)}`
  expect(plain(text(4_194_304))).toEqual({ a: 1 })
  expect(failureOf(text(4_194_305)).message).toContain('4194305 characters, where at most 4194304 are read')
})

it('says how many words and marks there may be', () => {
  expect(failureOf(`[${'x,'.repeat(75_000)}]`).message).toContain('more than 150000 words and marks')
})

it('accepts pages of comments before the config', () => {
  expect(plain(`${'# a\n\n'.repeat(1000)}a: 1`)).toEqual({ a: 1 })
})

it('says what is wrong with long words in a few', () => {
  const long = 'x'.repeat(1e6)
  for (const text of [
    `${long}: 1`,
    `merge_method: linear\nmodels: [{model: a, parameters: {${long}: {a: 1}}}]`,
    `${long}: 1\n${long}: 2`,
  ])
    expect(failureOf(text).message.length).toBeLessThan(2500)
  const keys = Array.from({ length: 10_000 }, (_, index) => `k${index}: 1`).join('\n')
  expect(failureOf(keys).message).toMatch(/\nand 99\d\d more$/)
  expect(failureOf(keys).message.length).toBeLessThan(4000)
})

it('rejects several documents', () => {
  const error = failureOf('merge_method: linear\n---\nmerge_method: ties\n')
  expect(error.code).toBe('several-documents')
  expect(error.message).toMatch(/^config:3:1: the file holds 2 documents/)
})

it('accepts the marks of a single document', () => {
  expect(plain('---\na: 1\n---\n')).toEqual({ a: 1 })
  expect(plain('%YAML 1.2\n---\na: 1\n...\n')).toEqual({ a: 1 })
})

it('rejects an alias inside of its own anchor', () => {
  const error = failureOf('a: &a [1, *a]')
  expect(error.code).toBe('alias-limit')
  expect(error.message).toBe(`config:1:11: '*a' is inside of what it refers to`)
})

it('rejects aliases that expand without bound', () => {
  const levels = Array.from(
    { length: 30 },
    (_, i) => `a${i + 1}: &a${i + 1} [${Array.from({ length: 9 }, () => `*a${i}`).join(', ')}]`,
  )
  const error = failureOf(['a0: &a0 [x, x]', ...levels].join('\n'))
  expect(error.code).toBe('alias-limit')
  expect(error.message).toContain('more than 200000 values')
})

it('counts values with every alias expanded, up to the limit', () => {
  const text = (scalars: number) =>
    `a: &a [${Array.from({ length: 999 }, () => 'x').join()}]\nb: [${'y, '.repeat(scalars)}${Array.from({ length: 198 }, () => '*a').join()}]`
  expect(plain(text(996))).toMatchObject({ b: { length: 996 + 198 } })
  expect(failureOf(text(997)).code).toBe('alias-limit')
})

it('accepts one anchor used a thousand times', () => {
  const sources = Array.from({ length: 1000 }, () => '- *p').join('\n')
  expect(plain(`p: &p {weight: 1}\nall:\n${sources}`)).toMatchObject({ all: { length: 1000 } })
})
