/** Patterns that take for ever, or are none, where they are taken for regular expressions. */
const patterns = [
  '(a+)+',
  '(a|a)*b',
  '(.*)*x',
  '(.*)(.*)(.*)(.*)x',
  '(a|b|ab)*c',
  '([a-z]+)*',
  '(\\w|\\d)+$',
  '(?:a?){30}a{30}',
  '(x+x+)+y',
  '^(([a-z])+.)+[A-Z]([a-z])+$',
  '(.+)+\\1',
  'a{1,9999}{1,9999}',
  '(?=(a+))a*b',
  '.*.*.*=.*',
  '(a*)*(a*)*',
  '\\p{L}+\\p{L}+\\p{L}+',
  '[',
  '(',
  '*',
  '\\',
  '(?<n>a)(?<n>b)',
  'a'.repeat(300),
  'a'.repeat(1e6),
  '\u001b[2J',
]

/** @type {readonly import('./run-bomb.mjs').Bomb[]} */
export const adapterBombs = patterns.map((pattern) => ({
  name: `adapter: rank_pattern ${JSON.stringify(pattern.slice(0, 40))} (${pattern.length})`,
  kind: 'adapter',
  make: () => JSON.stringify({ rank_pattern: { [pattern]: 4 } }),
}))
