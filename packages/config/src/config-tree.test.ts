import { describe, expect, it } from 'vitest'
import { listReplaced, locateInTree, type MapNode, nodeFromPlain, nodeToPlain } from './config-tree.ts'
import { parseYaml } from './parse-yaml.ts'
import { treeFromObject } from './tree-from-object.ts'

describe('keys that are written twice', () => {
  const replacedIn = (text: string) =>
    listReplaced(parseYaml(text)).map(({ key, position, isTop }) => [key, position, isTop])

  it('are listed with the place of the second, at any depth', () => {
    expect(replacedIn('a: 1\nb: [{c: 1, c: 2}]\na: 3')).toEqual([
      ['a', { line: 3, column: 1 }, true],
      ['c', { line: 2, column: 12 }, false],
    ])
    expect(replacedIn('a: {b: {c: 1, c: 2}}')).toEqual([['c', { line: 1, column: 15 }, false]])
  })

  it('are listed in the order of the text', () => {
    expect(replacedIn('a: 1\nb: 1\na: 2\nb: 2').map(([key]) => key)).toEqual(['a', 'b'])
  })

  it('are listed in what is replaced itself', () => {
    expect(replacedIn('a: {b: 1, b: 2}\na: 3').map(([key]) => key)).toEqual(['a', 'b'])
  })

  it('are listed once where aliases repeat them', () => {
    expect(replacedIn('a: &a {b: 1, b: 2}\nc: [*a, *a]')).toEqual([['b', { line: 1, column: 14 }, false]])
  })

  it('are none where each is written once', () => {
    expect(replacedIn('a: {b: 1}\nc: [{b: 1}, {b: 2}]')).toEqual([])
  })
})

describe('the place of a path', () => {
  const root = parseYaml('a:\n  - b: 1\n    c:\nd: {1: x}')
  it.each([
    [[], 'value', 1, 1],
    [['a'], 'value', 2, 3],
    [['a'], 'key', 1, 1],
    [['a', 0], 'value', 2, 5],
    [['a', 0, 'b'], 'value', 2, 8],
    [['a', 0, 'b'], 'key', 2, 5],
    [['a', 0, 'c'], 'value', 3, 5],
    [['d', '1'], 'value', 4, 8],
    [['d', 1], 'value', 4, 8],
    [['a', 1], 'value', 2, 3],
    [['a', '0'], 'value', 2, 3],
    [['a', 0, 'b', 'x'], 'value', 2, 8],
    [['x'], 'value', 1, 1],
  ] as const)('%j, %s', (path, at, line, column) => {
    expect(locateInTree(root, path, at)).toEqual({ line, column })
  })
})

it('plain data makes a tree and comes back', () => {
  const data = { a: [1, 'x', true, null], b: { c: '' } }
  const tree = nodeFromPlain({ ...data, d: undefined })
  expect(nodeToPlain(tree)).toEqual(data)
  expect(nodeToPlain(nodeFromPlain([() => 1, 2n]))).toEqual([null, null])
  const absent = { kind: 'scalar', value: null, text: '', quoted: false }
  expect(treeFromObject(null)).toMatchObject(absent)
  expect((parseYaml('a:\n? b\n') as MapNode).entries.get('a')!.value).toMatchObject(absent)
  expect((parseYaml('a:\n? b\n') as MapNode).entries.get('b')!.value).toMatchObject(absent)
  expect(nodeFromPlain('x')).toEqual({ kind: 'scalar', value: 'x', text: 'x', quoted: true, position: undefined })
  expect(nodeFromPlain(1.5)).toEqual({ kind: 'scalar', value: 1.5, text: '1.5', quoted: false, position: undefined })
})
