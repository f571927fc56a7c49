import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { differences, isSameTree, readTree } from './folder-tree.mjs'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mk-robustness-'))
  mkdirSync(join(folder, 'a', 'below'), { recursive: true })
  writeFileSync(join(folder, 'a', 'below', 'one'), '1')
  writeFileSync(join(folder, 'a', 'two'), '2')
})
afterEach(() => rmSync(folder, { recursive: true }))

test('a folder that has not changed is the same', () => {
  expect(isSameTree(readTree(join(folder, 'a')), readTree(join(folder, 'a')))).toBe(true)
})

test('a byte, a file more and a file less are differences', () => {
  const before = readTree(join(folder, 'a'))
  writeFileSync(join(folder, 'a', 'below', 'one'), '0')
  writeFileSync(join(folder, 'a', 'three'), '3')
  rmSync(join(folder, 'a', 'two'))
  expect(differences(before, readTree(join(folder, 'a'))).toSorted()).toEqual(['below/one', 'three', 'two'])
})

test('a folder that is not there is no empty folder', () => {
  mkdirSync(join(folder, 'empty'))
  expect(readTree(join(folder, 'none'))).toBeUndefined()
  expect(isSameTree(readTree(join(folder, 'none')), readTree(join(folder, 'empty')))).toBe(false)
})
