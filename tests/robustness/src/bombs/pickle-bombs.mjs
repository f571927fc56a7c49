import { global, integer, mark, oldFileOf, unicode } from '../fuzz/torch-bytes.mjs'
import { zipFile } from '../fuzz/zip-bytes.mjs'
import { bytes, repeated } from './pieces.mjs'

const bomb = (name, ...parts) => ({
  name: `pickle: ${name}`,
  kind: 'checkpoint',
  make: () => oldFileOf(Buffer.concat(parts.map((part) => (typeof part === 'function' ? part() : bytes(part))))),
})
/** A list of 10^6 times nothing, in memo 0. */
const longList = () => Buffer.concat([bytes(']q\0('), repeated('N', 1e6), bytes('e')])
const million = 1e6
const storage = () =>
  Buffer.concat([
    mark,
    unicode('storage'),
    global('torch', 'FloatStorage'),
    unicode('0'),
    unicode('cpu'),
    integer(1),
    bytes('tQq\x01'),
  ])

/** @type {readonly import('./run-bomb.mjs').Bomb[]} */
export const pickleBombs = [
  bomb('8·10^6 dicts', () => repeated('}', 8 * million)),
  bomb('8·10^6 dicts in a list', '](', () => repeated('}', 8 * million - 10), 'e'),
  bomb('8·10^6 sets', () => repeated('\x8f', 8 * million)),
  bomb('4·10^6 memos', () => repeated('N\x94', 4 * million)),
  bomb('8·10^6 marks', () => repeated('(', 8 * million)),
  bomb('tuples nested 4·10^6 deep', ')', () => repeated('\x85', 4 * million)),
  bomb(
    'lists nested 10^6 deep',
    () => repeated(']', million),
    () => repeated('a', million - 1),
  ),
  bomb('250 MB of texts', () => Buffer.concat(Array.from({ length: 16 }, () => unicode('a'.repeat(15 * 2 ** 20))))),
  bomb('a set of 10^6, 2,000 times', longList, 'cbuiltins\nset\nq\x01', () => repeated('h\x01h\0\x85R', 2000)),
  bomb('a torch.Size of 10^6, 2,000 times', longList, 'ctorch\nSize\nq\x01', () => repeated('h\x01h\0\x85R', 2000)),
  bomb(
    'an OrderedDict of 10^6, 1,000 times',
    ']q\0(',
    () => repeated('K\x01K\x02\x86', million),
    'eccollections\nOrderedDict\nq\x01',
    () => repeated('h\x01h\0\x85R0', 1000),
  ),
  bomb(
    'a text of 14 MB encoded 2,000 times',
    () => unicode('a'.repeat(14 * 2 ** 20)),
    'q\0',
    () => unicode('latin1'),
    'q\x01c_codecs\nencode\nq\x02',
    () => repeated('h\x02h\0h\x01\x86R', 2000),
  ),
  bomb(
    '10^5 tensors of 10^5 dimensions',
    '(',
    () => repeated('K\x01', 1e5),
    'tq\x000',
    storage,
    'ctorch._utils\n_rebuild_tensor\nq\x02',
    () => repeated('h\x02(h\x01K\0h\0h\0tR0', 1e5),
  ),
  bomb(
    '_rebuild_from_type_v2 in itself, 10^5 deep',
    'ctorch._tensor\n_rebuild_from_type_v2\nq\0)q\x01',
    () => repeated('0h\0Nh\x01\x87q\x01', 1e5),
    '0h\0h\x01R',
  ),
  bomb('a global named by terminal escapes', 'c\x1b[2J\x1b[31mos\nsystem\n'),
  bomb('a global of 1 MB', () => global('x'.repeat(million), 'y')),
  bomb('os.system', () => Buffer.concat([global('os', 'system'), unicode('true')]), '\x85R'),
  bomb('an integer of 10^6 bytes', () => {
    const head = Buffer.from([0x8b, 0, 0, 0, 0])
    head.writeInt32LE(million, 1)
    return Buffer.concat([head, Buffer.alloc(million, 1)])
  }),
  {
    name: 'zip: 65,000 entries',
    kind: 'checkpoint',
    make: () =>
      zipFile(
        Array.from({ length: 65_000 }, (_, index) => ({
          name: index === 0 ? 'a/data.pkl' : `a/data/${index}`,
          content: bytes(index === 0 ? '}.' : ''),
        })),
      ),
  },
  {
    name: 'zip: 65,000 entries of long names',
    kind: 'checkpoint',
    make: () =>
      zipFile(
        Array.from({ length: 65_000 }, (_, index) => ({
          name: index === 0 ? 'a/data.pkl' : `a/data/${'x'.repeat(400)}${index}`,
          content: bytes(index === 0 ? '}.' : ''),
        })),
      ),
  },
]
