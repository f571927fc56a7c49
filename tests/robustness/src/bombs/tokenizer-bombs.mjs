import { list, nested } from './pieces.mjs'

const bomb = (name, make, rows) => ({
  name: `tokenizer: ${name}`,
  kind: 'tokenizer',
  make,
  ...(rows !== undefined && { rows }),
})
const words = (vocabulary, more = '') => `{${more}"model":{"type":"WordLevel","vocab":${vocabulary}}}`
const bpe = (vocabulary, merges) => `{"model":{"type":"BPE","vocab":${vocabulary},"merges":${merges}}}`

/** @type {readonly import('./run-bomb.mjs').Bomb[]} */
export const tokenizerBombs = [
  bomb('10^6 added tokens', () =>
    words('{}', `"added_tokens":[${list(1e6, (index) => `{"id":${index},"content":"<${index}>","special":false}`)}],`),
  ),
  bomb('10^6 tokens', () => bpe(`{${list(1e6, (index) => `"t${index}x":${index}`)}}`, '[]')),
  bomb('one id of 2^24 - 1', () => words(`{"a":0,"b":${2 ** 24 - 1}}`), 2 ** 24),
  bomb('one id of 2^53', () => words(`{"a":0,"b":${2 ** 53}}`)),
  bomb('a normalizer nested 20,000 deep', () => words('{"a":0}', `"normalizer":${nested(2e4)},`)),
  bomb('a model nested 10^6 deep', () => `{"model":{"type":"WordLevel","vocab":{"a":0},"x":${nested(1e6)}}}`),
  bomb('a token of 50 MB', () => words(`{"${'x'.repeat(5e7)}":0,"a":5}`), 6),
  bomb('a token of 5·10^6 line ends', () => words(`{"${'\\n'.repeat(5e6)}":0,"a":5}`), 6),
  bomb('a bad merge of 10 MB', () => bpe('{"a":0}', `["${'x '.repeat(5e6)}"]`)),
  bomb('a merge nested 20,000 deep', () => bpe('{"a":0}', `[${nested(2e4)}]`)),
  bomb('an id nested 20,000 deep', () => words(`{"a":${nested(2e4)}}`)),
  bomb('a bad id of a token of 1 MB', () => words(`{"${'x'.repeat(1e6)}":-1}`)),
  bomb('a token of terminal escapes', () => words('{"\\u001b[2J\\u0007":-1}')),
  bomb('tokens of JavaScript', () => words('{"a":0,"__proto__":1,"constructor":2}'), 3),
]
