import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { collectErrorClasses } from '../scripts/issue-rules.mjs'

const page = readFileSync(new URL('troubleshooting.md', import.meta.url), 'utf8')
const codes = [...page.matchAll(/^\| code \| what to do \|\n((?:\|.*\n)+)/gm)]
  .flatMap(([, rows]) => rows!.split('\n').map((row) => row.split(' | ')[0]!))
  .flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code!))

test('every code that the page names is one, and stands there once', async () => {
  const classes = (await collectErrorClasses()) as { ErrorClass: { rules: object } }[]
  const known = new Set(classes.flatMap(({ ErrorClass }) => Object.keys(ErrorClass.rules)))
  expect(codes.length).toBeGreaterThan(80)
  expect(codes.filter((code) => !known.has(code))).toEqual([])
  expect(codes.filter((code, index) => codes.indexOf(code) !== index)).toEqual([])
})
