import { join } from 'node:path'
import { openCheckpoint } from '@mk/checkpoint'
import { createSourceReader } from '@mk/source/node'
import { replaceFile, modelFile } from '../golden-models.mjs'
import { mutateBytes } from '../mutate-bytes.mjs'
import { oddNumber, oddText } from '../mutate-json.mjs'
import { global, integer, oldFileOf, oldTorchFile, torchEntries, unicode } from '../torch-bytes.mjs'
import { fieldNames, zipFile } from '../zip-bytes.mjs'

const shapes = {
  'model.embed_tokens.weight': [6, 4],
  'model.layers.0.w': [4, 4],
  'model.layers.1.w': [4, 4],
  'model.norm': [4],
  scalar: [],
}
const names = [
  'torch._utils _rebuild_tensor_v2',
  'torch._utils _rebuild_parameter',
  'torch._tensor _rebuild_from_type_v2',
  'collections OrderedDict',
  'torch Size',
  'builtins set',
  '_codecs encode',
  'torch device',
  'torch FloatStorage',
  'torch float32',
  'os system',
  'builtins eval',
  '__builtin__ exec',
  'posix system',
  'torch._utils _rebuild_tensor_v3',
  'torch __proto__',
  'constructor constructor',
]
/** Elements past these are not read. */
const maxElements = 1e6
const elementBytes = { F64: 8, I64: 8, U64: 8, F32: 4, I32: 4, U32: 4, F16: 2, BF16: 2, I16: 2, U16: 2 }

/** Opens a file as a checkpoint and reads all its tensors. @param {string} folder @param {Uint8Array} bytes */
async function openTorchFile(folder, bytes) {
  replaceFile(folder, 'case.bin', bytes)
  const { tensors, notes } = await openCheckpoint({ path: join(folder, 'case.bin'), adapters: [] }, { roots: [folder] })
  const reader = createSourceReader()
  try {
    for (const source of tensors.values()) {
      const count = source.shape.reduce((product, size) => product * size, 1)
      if (count <= maxElements) reader.read(source, 0, count, new Uint8Array(count * (elementBytes[source.dtype] ?? 1)))
    }
  } finally {
    reader.close()
  }
  JSON.stringify(notes)
}

/** Files of torch in both formats, with bytes changed. */
export const torchPickle = {
  name: 'torch-pickle',
  extension: 'bin',
  async open({ folder }) {
    const bases = [
      oldTorchFile(shapes),
      zipFile(torchEntries(shapes)),
      modelFile('pickle-base', 'pytorch_model.bin').subarray(-6000),
    ]
    return {
      make: (random) => mutateBytes(random, random.pick(bases), random.pick([1, 1, 2, 6])),
      check: (bytes) => openTorchFile(folder, bytes),
    }
  },
}

/** Pickles of opcodes in any order, with names that run code where pickles are run. */
export const torchOpcodes = {
  name: 'torch-opcodes',
  extension: 'bin',
  async open({ folder }) {
    return {
      make: (random) => oldFileOf(Buffer.concat(Array.from({ length: 1 + random.below(60) }, () => opcode(random)))),
      check: (bytes) => openTorchFile(folder, bytes),
    }
  },
}

const plainOpcodes = [
  '(',
  '0',
  '1',
  '2',
  'N',
  ')',
  '\x85',
  '\x86',
  '\x87',
  't',
  ']',
  'l',
  'a',
  'e',
  '}',
  'd',
  's',
  'u',
  '\x8f',
  '\x90',
  '\x94',
  'R',
  '\x81',
  'b',
  'Q',
]

function opcode(random) {
  switch (random.below(8)) {
    case 0:
      return integer(oddNumber(random))
    case 1:
      return unicode(oddText(random))
    case 2:
      return unicode(random.pick(['storage', '0', '1', 'cpu', 'latin1']))
    case 3:
      return global(...random.pick(names).split(' '))
    case 4:
      return Buffer.from([random.pick([0x71, 0x68]), random.below(4)])
    case 5:
      return Buffer.from([0x8a, random.below(40), ...Array(random.below(40)).fill(random.below(256))])
    case 6:
      return Buffer.from([random.below(256)])
    default:
      return Buffer.from(random.pick(plainOpcodes), 'latin1')
  }
}

/** Archives with wrong fields, entries that overlap, are missing, or are there twice. */
export const zip = {
  name: 'zip',
  extension: 'bin',
  async open({ folder }) {
    return {
      make(random) {
        const entries = torchEntries(shapes)
        const oddFields = (fields) => ({
          [random.pick(fields)]: random.pick([0, 1, 2, 8, 0xffff, 0xffffffff, random.below(3000)]),
        })
        for (let count = 1 + random.below(3); count > 0; count--) {
          const at = random.below(entries.length)
          const entry = entries[at]
          switch (random.pick(['local', 'central', 'name', 'missing', 'twice', 'content'])) {
            case 'local':
              entries[at] = { ...entry, local: oddFields(fieldNames.local) }
              break
            case 'central':
              entries[at] = { ...entry, central: oddFields(fieldNames.central) }
              break
            case 'name':
              entries[at] = {
                ...entry,
                name: random.pick([oddText(random), `archive/${oddText(random)}`, `../${entry.name}`]),
              }
              break
            case 'missing':
              if (entries.length > 1) entries.splice(at, 1)
              break
            case 'twice':
              entries.push(entry)
              break
            case 'content':
              entries[at] = { ...entry, content: mutateBytes(random, entry.content) }
              break
          }
        }
        return zipFile(entries, random.chance(0.3) ? oddFields(fieldNames.end) : {})
      },
      check: (bytes) => openTorchFile(folder, bytes),
    }
  },
}
