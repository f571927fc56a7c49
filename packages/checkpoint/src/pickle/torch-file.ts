import { latin1Text } from '../files/latin1.ts'
import { CheckpointError } from '../errors.ts'
import { describeDisguise } from '../files/disguise.ts'
import { createByteCursor, type OpenedFile, readFully } from './machine/byte-cursor.ts'
import { describeValue, isKind, type PickleStorage, type PickleValue } from './machine/pickle-value.ts'
import { unpickle } from './machine/unpickle.ts'
import { createTorchScope } from './torch-scope.ts'
import { type StorageBytes, storageElementBytes } from './storage-source.ts'
import { readZipDirectory } from './zip-directory.ts'

/** The pickled object of a file, and the bytes of its storages by key. */
export interface TorchFile {
  readonly root: PickleValue
  readonly storages: ReadonlyMap<string, StorageBytes>
}

export interface TorchFileOptions {
  /**
   * Whether the header of every storage in a zip is read, which tells where exactly its bytes begin; true if absent. Without them
   * only the pickle and the directory are, and storages begin where they could at the earliest.
   */
  readonly areStoragesPlaced?: boolean
}

/** Tells by the beginning of a file whether it is a zip. */
export const isZip = (start: Uint8Array): boolean => start[0] === 0x50 && start[1] === 0x4b

/** Reads a file that torch.save wrote, in the zip format (since 1.6) or the older sequence of pickles. */
export function readTorchFile(opened: OpenedFile, { areStoragesPlaced = true }: TorchFileOptions = {}): TorchFile {
  const { file, fileBytes } = opened
  const start = new Uint8Array(Math.min(fileBytes, 1024))
  readFully(opened, start, 0)
  if (isZip(start)) return readZipFile(opened, areStoragesPlaced)
  if (start[0] === 0x80 && fileBytes > 2) return readSequence(opened, describeStart(start))
  throw new CheckpointError({ code: 'pickle-format', file, found: describeStart(start) })
}

/** `<name>/data.pkl` and `<name>/data/<key>`, all stored. */
function readZipFile(opened: OpenedFile, areStoragesPlaced: boolean): TorchFile {
  const { file } = opened
  const entries = readZipDirectory(opened, areStoragesPlaced ? () => true : (name) => !/(^|\/)data\/[^/]*$/.test(name))
  const pickle = [...entries.values()].find(({ name }) => /^([^/]*\/)?data\.pkl$/.test(name))
  if (pickle === undefined) throw new CheckpointError({ code: 'zip-missing', file, entry: 'data.pkl' })
  const prefix = pickle.name.slice(0, -'data.pkl'.length)
  const byteOrder = entries.get(`${prefix}byteorder`)
  if (byteOrder !== undefined) {
    const text = new Uint8Array(Math.min(byteOrder.byteEnd - byteOrder.byteStart, 16))
    readFully(opened, text, byteOrder.byteStart)
    if (new TextDecoder().decode(text) !== 'little') throw new CheckpointError({ code: 'pickle-big-endian', file })
  }
  const root = unpickle(createByteCursor(opened, pickle.byteStart, pickle.byteEnd), createTorchScope())
  const storages = new Map<string, StorageBytes>()
  for (const { name, byteStart, byteEnd } of entries.values()) {
    if (name.startsWith(`${prefix}data/`)) storages.set(name.slice(`${prefix}data/`.length), { byteStart, byteEnd })
  }
  return { root, storages }
}

const magic = 0x1950a86a20f9469cfc6cn

/** Pickles of the magic number, the version, the machine, the object and the storage keys; then each storage with its length. */
function readSequence(opened: OpenedFile, found: string): TorchFile {
  const { file, fileBytes } = opened
  const cursor = createByteCursor(opened, 0, fileBytes)
  const named = new Map<string, PickleStorage>()
  const plain = createTorchScope()
  if (unpickle(cursor, plain) !== magic) throw new CheckpointError({ code: 'pickle-format', file, found })
  const version = unpickle(cursor, plain)
  if (version !== 1001)
    throw new CheckpointError({
      code: 'pickle-format',
      file,
      found: `starts with version ${describeValue(version)} of torch's old format`,
    })
  const machine = unpickle(cursor, plain)
  if (isKind(machine, 'dict') && machine.entries.get('little_endian') === false)
    throw new CheckpointError({ code: 'pickle-big-endian', file })
  const root = unpickle(
    cursor,
    createTorchScope((storage) => named.set(storage.key, storage)),
  )
  const keys = unpickle(cursor, plain)
  if (!isKind(keys, 'list'))
    throw new CheckpointError({
      code: 'pickle-format',
      file,
      found: `has ${describeValue(keys)} instead of a list of storages`,
    })
  return { root, storages: placeStorages(opened, cursor.position, keys.items, named) }
}

function placeStorages(
  opened: OpenedFile,
  byteStart: number,
  keys: readonly PickleValue[],
  named: ReadonlyMap<string, PickleStorage>,
): ReadonlyMap<string, StorageBytes> {
  const { file, fileBytes } = opened
  const storages = new Map<string, StorageBytes>()
  let position = byteStart
  for (const found of keys) {
    const key = typeof found === 'string' ? found : describeValue(found)
    const refuse = (problem: string) => new CheckpointError({ code: 'pickle-storage-list', file, key, problem })
    const storage = named.get(key)
    if (storage === undefined) throw refuse('is listed, but no tensor names it')
    if (storages.has(key)) throw refuse('is listed twice')
    const elementBytes = storageElementBytes(storage.type)
    if (elementBytes === undefined) throw refuse(`has the type ${storage.type}, whose size is unknown here`)
    if (position + 8 > fileBytes) throw new CheckpointError({ code: 'pickle-truncated', file, byte: fileBytes })
    const length = new DataView(new ArrayBuffer(8))
    readFully(opened, new Uint8Array(length.buffer), position)
    const bytes = Number(length.getBigUint64(0, true)) * elementBytes
    const available = fileBytes - position - 8
    if (bytes > available) throw new CheckpointError({ code: 'pickle-storage-outside', file, key, bytes, available })
    storages.set(key, { byteStart: position + 8, byteEnd: position + 8 + bytes })
    position += 8 + bytes
  }
  return storages
}

function describeStart(start: Uint8Array): string {
  const found = describeDisguise(start, 'torch')
  if (found !== undefined) return found
  const text = latin1Text(start)
  return `starts with ${JSON.stringify(text.slice(0, 16))}${start[0] === 0x80 ? ', a pickle that torch.save did not write' : ''}`
}
