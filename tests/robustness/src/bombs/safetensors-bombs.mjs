import { entry, list, nested, safetensors } from './pieces.mjs'

const bomb = (name, make, dataBytes) => ({
  name: `safetensors: ${name}`,
  kind: 'safetensors',
  make: () => safetensors(make(), dataBytes),
})
const names = (name, make, config = {}) => ({
  name: `names: ${name}`,
  kind: 'names',
  make: () => JSON.stringify({ tensors: make(), config }),
})
const one = (name) => [{ name, shape: [2] }]

/** @type {readonly import('./run-bomb.mjs').Bomb[]} */
export const safetensorsBombs = [
  bomb('10^6 empty tensors', () => `{${list(1e6, (index) => `"t${index}":${entry('F32', '0', 0, 0)}`)}}`),
  bomb('a shape nested 10^6 deep', () => `{"a":{"dtype":"F32","shape":${nested(1e6)},"data_offsets":[0,0]}}`),
  bomb('a shape nested 20,000 deep', () => `{"a":{"dtype":"F32","shape":${nested(2e4)},"data_offsets":[0,0]}}`),
  bomb('offsets nested 20,000 deep', () => `{"a":{"dtype":"F32","shape":[0],"data_offsets":${nested(2e4)}}}`),
  bomb('a dtype nested 20,000 deep', () => `{"a":{"dtype":${nested(2e4)},"shape":[0],"data_offsets":[0,0]}}`),
  bomb('an entry nested 10^6 deep', () => `{"a":${nested(1e6, '{"x":', '}', '1')}}`),
  bomb('metadata nested 20,000 deep', () => `{"__metadata__":{"a":${nested(2e4)}}}`),
  bomb('40 MB of brackets', () => '['.repeat(4e7)),
  bomb('40 MB of braces', () => '{"a":'.repeat(8e6)),
  bomb('a shape of 10^7 ones', () => `{"a":{"dtype":"U8","shape":[${'1,'.repeat(1e7)}1],"data_offsets":[0,1]}}`, 1),
  bomb('a name of 90 MB', () => `{"${'x'.repeat(9e7)}":${entry('U8', '1', 0, 1)}}`, 1),
  bomb('a name of 40·10^6 quotes', () => `{"${'\\"'.repeat(4e7)}":${entry('U8', '1', 0, 1)}}`, 1),
  bomb('a name of 40·10^6 backslashes', () => `{"${'\\\\'.repeat(4e7)}":${entry('U8', '1', 0, 1)}}`, 1),
  bomb('a bad name of 1 MB', () => `{"${'x'.repeat(1e6)}":${entry('U8', '7', 0, 1)}}`, 1),
  bomb('a dtype of 90 MB', () => `{"a":{"dtype":"${'x'.repeat(9e7)}","shape":[1],"data_offsets":[0,1]}}`, 1),
  bomb('a dtype of 1 MB', () => `{"a":{"dtype":"${'x'.repeat(1e6)}","shape":[1],"data_offsets":[0,1]}}`, 1),
  bomb('a dtype of terminal escapes', () => `{"a":{"dtype":"\\u001b[2J\\u0007","shape":[1],"data_offsets":[0,1]}}`, 1),
  bomb('metadata of 10^6 keys', () => `{"__metadata__":{${list(1e6, (index) => `"k${index}":"v"`)}}}`),
  bomb('offsets past 2^53', () => `{"a":${entry('U8', '1', '9007199254740993', '9007199254740994')}}`, 1),
  bomb('a shape past 2^53, hidden by a 0', () => `{"a":${entry('F32', '9007199254740992,9007199254740992,0', 0, 0)}}`),
  bomb(
    'names of JavaScript',
    () =>
      `{"__proto__":${entry('U8', '1', 0, 1)},"constructor":${entry('U8', '1', 1, 2)},"toString":${entry('U8', '1', 2, 3)},"__metadata__":{"__proto__":"x"}}`,
    3,
  ),
  {
    name: 'index: 10^6 tensors',
    kind: 'index',
    make: () => `{"weight_map":{${list(1e6, (index) => `"t${index}":"f${index % 9}.safetensors"`)}}}`,
  },
  { name: 'index: a path of 1 MB', kind: 'index', make: () => `{"weight_map":{"a":"../${'x'.repeat(1e6)}"}}` },
  { name: 'index: a map nested 20,000 deep', kind: 'index', make: () => `{"weight_map":{"a":${nested(2e4)}}}` },
  names('one of 10,000 numbers', () => one(`${'0.'.repeat(1e4)}w`)),
  names('one of 30,000 numbers', () => one(`a.${'0.'.repeat(3e4)}w`)),
  names('150,000 stacks of two layers', () =>
    Array.from({ length: 9e5 }, (_, index) => ({
      name: `p${Math.floor(index / 6)}.${index % 2}.${'abc'[index % 3]}`,
      shape: [2],
    })),
  ),
  names(
    '10^6 layers',
    () => Array.from({ length: 1e6 }, (_, index) => ({ name: `model.layers.${index}.w`, shape: [2] })),
    { num_hidden_layers: 1e6 },
  ),
]
