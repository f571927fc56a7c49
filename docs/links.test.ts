import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))

const below = (folder: string) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md') && !path.includes('node_modules'))
    .map((path) => join(folder, path))
const readmes = (group: string) => readdirSync(join(root, group)).map((name) => join(group, name, 'README.md'))
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'goldens/README.md',
  ...below('docs'),
  ...below('examples'),
  ...readmes('packages'),
  ...readmes('apps'),
]

/** As GitHub makes them from headings. */
const anchor = (heading: string) =>
  heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-')
const withoutCode = (text: string) => text.replace(/^```[\s\S]*?^```/gm, '')
const anchorsOf = (page: string) =>
  [...withoutCode(readFileSync(page, 'utf8')).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchor(heading!))

test.for(pages)('%s exists and links to what exists', (page) => {
  const text = withoutCode(readFileSync(join(root, page), 'utf8'))
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!).filter((link) => !/^[a-z]+:/.test(link))
  const broken = links.filter((link) => {
    const [path, heading] = link.split('#') as [string, string?]
    const target = path === '' ? join(root, page) : join(root, dirname(page), path)
    if (!existsSync(target)) return true
    if (heading === undefined) return false
    return !anchorsOf(statSync(target).isDirectory() ? join(target, 'README.md') : target).includes(heading)
  })
  expect(broken).toEqual([])
})
