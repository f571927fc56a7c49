/**
 * @typedef {object} ZipEntry
 * @property {string} name
 * @property {Buffer} content stored as it is
 * @property {Readonly<Record<string, number>>} [local] fields of its local header, in place of the right ones
 * @property {Readonly<Record<string, number>>} [central] fields of its entry in the directory, in place of the right ones
 */

const localFields = [
  ['signature', 4],
  ['version', 2],
  ['flags', 2],
  ['method', 2],
  ['time', 2],
  ['date', 2],
  ['checksum', 4],
  ['packedBytes', 4],
  ['contentBytes', 4],
  ['nameBytes', 2],
  ['extraBytes', 2],
]
const centralFields = [
  ['signature', 4],
  ['madeBy', 2],
  ['version', 2],
  ['flags', 2],
  ['method', 2],
  ['time', 2],
  ['date', 2],
  ['checksum', 4],
  ['packedBytes', 4],
  ['contentBytes', 4],
  ['nameBytes', 2],
  ['extraBytes', 2],
  ['commentBytes', 2],
  ['disk', 2],
  ['innerAttributes', 2],
  ['outerAttributes', 4],
  ['localStart', 4],
]
const endFields = [
  ['signature', 4],
  ['disk', 2],
  ['startDisk', 2],
  ['diskEntries', 2],
  ['entryCount', 2],
  ['directoryBytes', 4],
  ['directoryStart', 4],
  ['commentBytes', 2],
]

/** Names of the fields of each record, for those who put wrong ones. */
export const fieldNames = {
  local: localFields.map(([name]) => name),
  central: centralFields.map(([name]) => name),
  end: endFields.map(([name]) => name),
}

/**
 * Writes a zip file, with wrong fields where they are asked for.
 * @param {readonly ZipEntry[]} entries @param {Readonly<Record<string, number>>} [end] fields of its last record
 */
export function zipFile(entries, end = {}) {
  const parts = []
  const directory = []
  let at = 0
  for (const { name, content, local = {}, central = {} } of entries) {
    const nameText = Buffer.from(name)
    const sizes = { packedBytes: content.length, contentBytes: content.length, nameBytes: nameText.length }
    const head = record(localFields, { signature: 0x04034b50, ...sizes, ...local })
    directory.push(record(centralFields, { signature: 0x02014b50, ...sizes, localStart: at, ...central }), nameText)
    parts.push(head, nameText, content)
    at += head.length + nameText.length + content.length
  }
  const list = Buffer.concat(directory)
  const counts = {
    diskEntries: entries.length,
    entryCount: entries.length,
    directoryBytes: list.length,
    directoryStart: at,
  }
  return Buffer.concat([...parts, list, record(endFields, { signature: 0x06054b50, ...counts, ...end })])
}

function record(fields, values) {
  return Buffer.concat(
    fields.map(([name, size]) => {
      const bytes = Buffer.alloc(size)
      const value = values[name] ?? 0
      if (size === 2) bytes.writeUInt16LE(value & 0xffff)
      else bytes.writeUInt32LE(value >>> 0)
      return bytes
    }),
  )
}
