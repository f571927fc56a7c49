import { list } from './pieces.mjs'

const bomb = (name, make) => ({ name: `recipe: ${name}`, kind: 'recipe', make })
const letters = 'abcdefghi'

/** @type {readonly import('./run-bomb.mjs').Bomb[]} */
export const recipeBombs = [
  bomb(
    'a billion laughs',
    () =>
      `a: &a [x,x,x,x,x,x,x,x,x]\n${list(8, (index) => `${letters[index + 1]}: &${letters[index + 1]} [${list(9, () => `*${letters[index]}`)}]`, '\n')}`,
  ),
  bomb(
    'a billion laughs by merge keys',
    () =>
      `b: &b {k: 1}\n${list(3000, (index) => `b${index}: &b${index} {<<: [*b${index === 0 ? '' : index - 1}, *b${index === 0 ? '' : index - 1}], k${index}: 1}`, '\n')}`,
  ),
  bomb('4 MB of list items', () => `models:\n${'- a\n'.repeat(1e6)}`),
  bomb('4 MB of keys', () => list(4e5, (index) => `k${index}: 1`, '\n').slice(0, 4e6)),
  bomb('100,000 keys', () => list(1e5, (index) => `k${index}: 1`, '\n')),
  bomb('4 MB of one text', () => `merge_method: ${'x'.repeat(4e6)}`),
  bomb('4 MB of quotes', () => `merge_method: "${'\\"'.repeat(1.9e6)}"`),
  bomb('4 MB of comments', () => '#\n'.repeat(2e6)),
  bomb('4 MB of blank lines', () => `a: 1${'\n'.repeat(4e6)}`),
  bomb('4 MB of spaces', () => `${' '.repeat(4e6)}a: 1`),
  bomb('4 MB of ? keys', () => '? '.repeat(2e6)),
  bomb('4 MB of lists in lists', () => '- '.repeat(2e6)),
  bomb('4 MB of braces', () => '{'.repeat(4e6)),
  bomb('4 MB of tags', () => '!a '.repeat(1.3e6)),
  bomb('4 MB of anchors', () => list(3e5, (index) => `- &a${index} 1`, '\n').slice(0, 4e6)),
  bomb('4 MB of errors', () => 'a: b: c\n'.repeat(5e5)),
  bomb('4 MB of documents', () => '---\n'.repeat(1e6)),
  bomb('4 MB of a block', () => `merge_method: |\n${'  x\n'.repeat(9.9e5)}`),
  bomb('4 MB of a text over many lines', () => `merge_method: ${'x\n  '.repeat(9.9e5)}`),
  bomb('10 MB', () => 'x'.repeat(1e7)),
  bomb('a misspelt key of 1 MB', () => `${'x'.repeat(1e6)}: 1\nmerge_method: linear`),
  bomb('a method of 1 MB', () => `merge_method: ${'x'.repeat(1e6)}\nmodels: [{model: a}]`),
  bomb('100,000 misspelt keys', () => list(1e5, (index) => `merge_metho${index}: 1`, '\n')),
  bomb('__proto__ as a key', () => '__proto__: {merge_method: linear}\nconstructor: 1'),
  bomb(
    '__proto__ as a parameter',
    () => 'merge_method: linear\nmodels: [{model: a, parameters: {__proto__: 1, constructor: 2, weight: 1}}]',
  ),
  bomb('a key of terminal escapes', () => '"\\e[2J\\a": 1\nmerge_method: linear'),
]
