/* oxlint-disable vitest/expect-expect -- `refuses` expects */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodeFiles } from '@mk/source/node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CheckpointError, type CheckpointIssue } from '../errors.ts'
import {
  call,
  concat,
  dict,
  global,
  int,
  list,
  none,
  oldFile,
  pickle,
  stateDict,
  str,
  tensor,
  tuple,
  uint,
} from './__fixtures__/pickle-bytes.ts'
import { holding } from './__fixtures__/held-bytes.ts'
import { torchZip, zip, type ZipPart } from './__fixtures__/zip-bytes.ts'
import { createByteCursor } from './machine/byte-cursor.ts'
import { openPickle } from './open-pickle.ts'
import { createTorchScope } from './torch-scope.ts'
import { pickleLimits, unpickle } from './machine/unpickle.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mk-hostile-'))
})
afterAll(() => rm(folder, { recursive: true }))

const four = new Uint8Array(16)

async function refuses(
  bytes: Uint8Array,
  code: CheckpointIssue['code'],
  issue: Record<string, unknown> = {},
): Promise<void> {
  const file = join(folder, 'model.bin')
  await writeFile(file, bytes)
  await expect(openPickle(nodeFiles, [file])).rejects.toMatchObject({
    name: 'CheckpointError',
    code,
    issue: { ...issue, file },
    message: expect.stringContaining(file),
  })
}

const file = (root: Uint8Array, storages: Record<string, Uint8Array> = { 0: four }) => zip(torchZip(root, storages))
const ofValue = (value: Uint8Array) => file(pickle(dict([str('w'), value])))

describe('pickles that try to do something', () => {
  test.each([
    ['os', 'system'],
    ['builtins', 'eval'],
    ['__builtin__', 'getattr'],
    ['numpy.core.multiarray', 'scalar'],
    ['torch', '__init__'],
    ['torch.storage', '_load_from_bytes'],
    ['collections', 'OrderedDict.__class__'],
    ['__proto__', 'constructor'],
  ])('%s.%s is named and not looked up', (module, name) =>
    refuses(ofValue(call(global(module, name), str('x'))), 'pickle-global', { name: `${module}.${name}` }),
  )

  test('a global by STACK_GLOBAL is no other', () =>
    refuses(ofValue(concat([0x8c, 2], 'os', [0x8c, 6], 'system', [0x93])), 'pickle-global', { name: 'os.system' }))

  test.each([
    ['a type', global('torch', 'FloatStorage')],
    ['a string', str('x')],
  ])('%s cannot be called', (_, callee) => refuses(ofValue(call(callee, int(1))), 'pickle-call'))

  test('a tensor without a storage', () =>
    refuses(
      ofValue(call(global('torch._utils', '_rebuild_tensor_v2'), none, int(0), tuple(), tuple())),
      'pickle-call',
      { name: 'torch._utils._rebuild_tensor_v2' },
    ))

  test('a tensor with fewer strides than dimensions', () =>
    refuses(ofValue(tensor({ shape: [2, 2], strides: [1] })), 'pickle-call'))

  test('negative sizes', () =>
    refuses(ofValue(tensor({ shape: [-1], strides: [1], storageElements: 4 })), 'pickle-call'))

  test.each([
    ['a string', concat(str('0'), 'Q')],
    ['a module', concat(tuple(str('module'), str('x'), str('y')), 'Q')],
    [
      'a view outside its storage',
      concat(
        tuple(
          str('storage'),
          global('torch', 'FloatStorage'),
          str('0'),
          str('cpu'),
          int(4),
          tuple(str('v'), int(3), int(2)),
        ),
        'Q',
      ),
    ],
  ])('a persistent id that is %s', (_, id) => refuses(ofValue(id), 'pickle-persistent-id'))
})

describe('pickles that are malformed', () => {
  test.each([
    0x00, 0x69 /* INST */, 0x6f /* OBJ */, 0x82 /* EXT1 */, 0x92 /* NEWOBJ_EX */, 0x97 /* NEXT_BUFFER */, 0xff,
  ])('opcode %i is refused', (opcode) => refuses(file(concat([0x80, 2], [opcode], '.')), 'pickle-opcode', { opcode }))

  test.each([
    ['nothing to pop', concat('0.')],
    ['nothing to stop with', concat('.')],
    ['a tuple without a mark', concat('Nt.')],
    ['items without a dict', concat('](NNu.')],
    ['a key without a value', concat('}(NNNu.')],
    ['a value below the mark', concat('N(Q.')],
    ['names that are no strings', concat('NN', [0x93], '.')],
    ['attributes for a list', concat(']Nb.')],
  ])('%s', (_, bytes) => refuses(file(concat([0x80, 2], bytes)), 'pickle-stack'))

  test('a memo that was never stored', () =>
    refuses(file(concat([0x80, 2], 'h', [9], '.')), 'pickle-memo', { index: 9 }))

  test('a pickle without an end', () => refuses(file(concat([0x80, 2], '}')), 'pickle-truncated'))

  test('a string longer than the pickle', () =>
    refuses(file(concat([0x80, 2], 'X', uint(1000, 4))), 'pickle-truncated'))

  test('an unknown protocol', () => refuses(file(concat([0x80, 6], '}.')), 'pickle-limit'))
})

describe('pickles that try to be too much', () => {
  test('a string of 4 GB is refused by its length', () =>
    refuses(file(concat([0x80, 2], 'X', uint(0xffffffff, 4))), 'pickle-limit', { found: 0xffffffff }))

  test('an integer of many digits', () =>
    refuses(file(concat([0x80, 2], [0x8b], uint(1 << 20, 4))), 'pickle-limit', { found: 1 << 20 }))

  test('a name without an end', () => refuses(file(concat([0x80, 2], 'c', 'a'.repeat(5000))), 'pickle-limit'))

  test('a million nested lists need no stack', () =>
    refuses(file(concat([0x80, 2], ']'.repeat(600_000), 'a'.repeat(599_999), '.')), 'pickle-no-state-dict'))

  test('lists that double by way of the memo stay small', () => {
    const doubling = Array.from({ length: 200 }, (_, index) =>
      concat('](', 'h', uint(index, 1), 'h', uint(index, 1), 'e', 'q', uint(index + 1, 1), '0'),
    )
    return refuses(file(concat([0x80, 2], ']', 'q', [0], '0', ...doubling, 'h', [200], '.')), 'pickle-no-state-dict')
  })

  test('a list that holds itself', () =>
    refuses(file(concat([0x80, 2], ']q', [0], 'h', [0], 'a.')), 'pickle-no-state-dict'))

  test('a dict that is its own key', () =>
    refuses(file(concat([0x80, 2], '}q', [0], 'h', [0], 'Ns.')), 'pickle-no-state-dict'))

  test('a memo index of four billion takes no room', () =>
    refuses(file(concat([0x80, 2], 'Nr', uint(0xffffffff, 4), '.')), 'pickle-no-state-dict'))

  test('more opcodes or bytes than any checkpoint has', async () => {
    const path = join(folder, 'long.pkl')
    await writeFile(path, concat([0x80, 2], 'N0'.repeat(50), 'N.'))
    const opened = { file: path, files: nodeFiles.openFiles(), fileBytes: 104 }
    const read = (limits: Partial<typeof pickleLimits>) => () =>
      unpickle(createByteCursor(opened, 0, 104), createTorchScope(), { ...pickleLimits, ...limits })
    expect(read({ opcodes: 103 })()).toBe(null)
    expect(read({ opcodes: 50 })).toThrow(expect.objectContaining({ code: 'pickle-limit' }))
    expect(read({ pickleBytes: 50 })).toThrow(expect.objectContaining({ code: 'pickle-limit' }))
    opened.files.close()
  })
})

describe('tensors that reach where they should not', () => {
  test.each([
    ['an offset past the end', { shape: [1], offset: 4, storageElements: 4 }],
    ['more elements than the storage has', { shape: [5], storageElements: 4 }],
    ['strides that step outside', { shape: [2, 2], strides: [3, 1], storageElements: 4 }],
    ['strides as large as a number can be', { shape: [3], strides: [2 ** 53 - 1], storageElements: 4 }],
    ['an empty tensor past the end', { shape: [0], offset: 9, storageElements: 4 }],
  ])('%s', (_, spec) => refuses(ofValue(tensor(spec)), 'pickle-tensor-outside', { tensor: 'w' }))

  test('a shape whose size is no number', () =>
    refuses(ofValue(tensor({ shape: [2 ** 40, 2 ** 40], strides: [0, 0], storageElements: 1 })), 'pickle-tensor-size'))

  test('a storage larger than its entry', () =>
    refuses(ofValue(tensor({ shape: [2 ** 40], storageElements: 2 ** 40 })), 'pickle-storage-outside', {
      bytes: 2 ** 42,
      available: 16,
    }))

  test('a storage that is not there', () =>
    refuses(ofValue(tensor({ shape: [1], key: '../0' })), 'pickle-storage-missing', { key: '../0' }))

  test('a dtype that safetensors has no word for', () =>
    refuses(ofValue(tensor({ shape: [1], type: 'ComplexFloatStorage' })), 'pickle-dtype', {
      found: 'torch.ComplexFloatStorage',
    }))
})

describe('zip files', () => {
  const root = stateDict({ w: { shape: [4] } })
  const parts = torchZip(root, { 0: four })
  const changed = (change: (part: ZipPart, index: number) => Partial<ZipPart>) =>
    zip(parts.map((part, index) => ({ ...part, ...change(part, index) })))

  test('compressed entries are refused, whatever they claim to expand to', () =>
    refuses(
      changed((_, index) => (index === 2 ? { method: 8 } : {})),
      'zip-compressed',
      { entry: 'archive/data/0', method: 8 },
    ))

  test('encrypted entries', () =>
    refuses(
      changed((_, index) => (index === 2 ? { flags: 1 } : {})),
      'zip-encrypted',
    ))

  test('overlapping entries', () =>
    refuses(zip([...parts, { name: 'archive/data/1', bytes: four, headerStart: 0 }]), 'zip-overlap', {
      entry: 'archive/data/1',
      other: 'archive/data.pkl',
    }))

  test('an entry that runs into the next', () =>
    refuses(
      changed((part, index) => (index === 1 ? { byteCount: part.bytes.length + 1 } : {})),
      'zip-overlap',
    ))

  test('an entry longer than the file', () =>
    refuses(
      changed((_, index) => (index === 2 ? { byteCount: 4096 } : {})),
      'zip-outside',
    ))

  test('an entry that starts outside the file', () =>
    refuses(
      changed((_, index) => (index === 2 ? { headerStart: 1 << 30 } : {})),
      'zip-outside',
    ))

  test('an entry where there is none', () =>
    refuses(
      changed((_, index) => (index === 2 ? { headerStart: 3 } : {})),
      'zip-directory',
    ))

  test('two entries of one name', () =>
    refuses(zip([...parts, parts[2]!]), 'zip-duplicate', { entry: 'archive/data/0' }))

  test('a zip without a pickle', () => refuses(zip(parts.slice(1)), 'zip-missing'))

  test('a directory that lists fewer entries than it says', () =>
    refuses(zip(parts, { declaredEntries: 7 }), 'zip-directory'))

  test.each([1, 22, 60, 200])('a file that lacks its last %i bytes', (count) =>
    refuses(zip(parts).slice(0, -count), 'zip-directory'),
  )

  test('a zip64 record outside the file', () => {
    const bytes = zip(parts, { zip64: true })
    bytes.set(uint(2 ** 48, 8), bytes.length - 22 - 12)
    return refuses(bytes, 'zip-directory')
  })

  test('a directory of gigabytes', () => {
    const bytes = zip(parts)
    bytes.set(uint(0x7fffffff, 4), bytes.length - 10)
    return refuses(bytes, 'pickle-limit')
  })

  test('big-endian tensors', () => refuses(zip(torchZip(root, { 0: four }, 'big')), 'pickle-big-endian'))
})

describe('the old format', () => {
  const root = stateDict({ w: { key: 'k', shape: [4] } })
  const storages = { k: { elements: 4, bytes: four } }

  test('big-endian tensors', () => refuses(oldFile(root, storages, false), 'pickle-big-endian'))
  test('a storage cut off', () =>
    refuses(oldFile(root, storages).slice(0, -1), 'pickle-storage-outside', { key: 'k', bytes: 16, available: 15 }))
  test('a length cut off', () => refuses(oldFile(root, storages).slice(0, -20), 'pickle-truncated'))
  test('a storage of 2^63 elements', () =>
    refuses(oldFile(root, { k: { elements: 2 ** 63, bytes: four } }), 'pickle-storage-outside'))
  test('a storage shorter than the tensor says', () =>
    refuses(oldFile(root, { k: { elements: 3, bytes: four } }), 'pickle-storage-outside'))
  test('a storage that no tensor names', () =>
    refuses(oldFile(root, { ...storages, z: { elements: 0, bytes: concat() } }), 'pickle-storage-list', { key: 'z' }))
  test('a tensor whose storage is not listed', () => refuses(oldFile(root, {}), 'pickle-storage-missing'))
  test('a storage listed twice', () => {
    const bytes = oldFile(root, {})
    return refuses(
      concat(bytes.slice(0, -pickle(list()).length), pickle(list(str('k'), str('k'))), uint(4, 8), four),
      'pickle-storage-list',
    )
  })
  test('keys that are no list', () => {
    const bytes = oldFile(root, {})
    return refuses(concat(bytes.slice(0, -pickle(list()).length), pickle(none)), 'pickle-format')
  })
  test('another version', () => {
    const bytes = oldFile(root, storages)
    bytes.set(uint(999, 4), pickle(concat([0x8a, 10], new Uint8Array(10))).length + 3)
    return refuses(bytes, 'pickle-format')
  })
})

describe('files that are something else', () => {
  test.each([
    ['nothing', concat()],
    ['HTML', concat('<!doctype html>')],
    ['a Git LFS pointer', concat('version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n')],
    ['a pickle of its own', pickle(dict([str('w'), int(1)]))],
  ])('%s', (_, bytes) => refuses(bytes, 'pickle-format'))
})

describe('damaged files', () => {
  test.each(['torch-zip.bin', 'torch-old.bin', 'nested.ckpt'])(
    'any byte of %s may be wrong: it opens or says why not',
    async (name) => {
      const original = await readFile(new URL(`__fixtures__/${name}`, import.meta.url))
      const path = join(folder, 'damaged.bin')
      const outcomes = new Set<string>()
      await writeFile(path, original)
      for (let index = 0; index < original.length; index += 3) {
        const bytes = Uint8Array.from(original)
        bytes[index] = (bytes[index]! + 1 + ((index * 37) % 255)) % 256
        const outcome = await openPickle(holding(bytes), [path]).then(
          () => 'opened',
          (error: unknown) => error,
        )
        outcomes.add(outcome instanceof CheckpointError ? outcome.code : String(outcome))
      }
      expect([...outcomes].filter((outcome) => outcome !== 'opened' && !/^(pickle|zip)-/.test(outcome))).toEqual([])
      expect(outcomes.size).toBeGreaterThan(5)
    },
  )
})
