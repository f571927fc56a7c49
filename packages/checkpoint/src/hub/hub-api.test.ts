import { expect, test } from 'vitest'
import { commitUrl, fileUrl, nextPageUrl, treeUrl } from './hub-api.ts'

const hub = 'https://hub.example'

test('revisions, folders and files are escaped in addresses', () => {
  expect(commitUrl(hub, 'org/model', 'refs/pr/1')).toBe(
    'https://hub.example/api/models/org/model/revision/refs%2Fpr%2F1?expand=sha',
  )
  expect(treeUrl(hub, 'org/model', 'c0ffee')).toBe('https://hub.example/api/models/org/model/tree/c0ffee')
  expect(treeUrl(hub, 'org/model', 'c0ffee', 'a b/c?d')).toBe(
    'https://hub.example/api/models/org/model/tree/c0ffee/a%20b/c%3Fd?recursive=true',
  )
  expect(fileUrl(hub, 'org/model', 'c0ffee', 'x/#1.json')).toBe(
    'https://hub.example/org/model/resolve/c0ffee/x/%231.json',
  )
})

test('half of a surrogate pair is asked for as what stands for it', () => {
  expect(commitUrl(hub, 'org/model', 'a\ud800')).toContain('/revision/a%EF%BF%BD?')
  expect(fileUrl(hub, 'org/model', 'c0ffee', '\udc00/\u{1f600}')).toBe(
    'https://hub.example/org/model/resolve/c0ffee/%EF%BF%BD/%F0%9F%98%80',
  )
})

test.each([
  [null, undefined],
  ['', undefined],
  ['<https://hub.example/p?cursor=2>; rel="next"', 'https://hub.example/p?cursor=2'],
  ['<https://hub.example/p?a=1,2;3>;rel=next', 'https://hub.example/p?a=1,2;3'],
  ['<https://x/1>; rel="prev", <https://x/2>; title="b"; rel="last next"', 'https://x/2'],
  ['</p?cursor=2>; rel="next"', 'https://hub.example/p?cursor=2'],
  ['<https://x/1>; rel="nextcloud"', undefined],
  ['<https://x/1>; rel="prev"', undefined],
  ['<file:///etc/passwd>; rel="next"', undefined],
  ['<https://[>; rel="next"', undefined],
  ['https://x/1; rel="next"', undefined],
])('the page after a header %j is %j', (link, url) => {
  expect(nextPageUrl(link, 'https://hub.example/p')).toBe(url)
})

test('a header without end is read in time that grows with its length', () => {
  const started = performance.now()
  for (const link of [
    '<'.repeat(1e5),
    `<a>${';'.repeat(1e5)}`,
    `<a>; ${' '.repeat(1e5)}`,
    `<a>; rel="${'n'.repeat(1e5)}`,
  ])
    expect(nextPageUrl(link, 'https://hub.example/p')).toBeUndefined()
  expect(performance.now() - started).toBeLessThan(1000)
})
