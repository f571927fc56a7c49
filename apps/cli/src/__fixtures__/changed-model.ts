import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { goldens } from './run-bin.ts'

type Header = Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>

export interface SafetensorsFile {
  header: Header
  data: Buffer
  /** Said of the header's length instead of the truth. */
  headerBytes?: number
  /** Bytes kept of the file. */
  fileBytes?: number
}

/** Copies one of the goldens' models and changes its weights' file. */
export function changedModel(to: string, change: (file: SafetensorsFile) => void, from = 'llama-ft2'): void {
  cpSync(join(goldens, 'models', from), to, { recursive: true })
  const path = join(to, 'model.safetensors')
  const bytes = readFileSync(path)
  const headerEnd = 8 + Number(bytes.readBigUInt64LE(0))
  const file: SafetensorsFile = {
    header: JSON.parse(bytes.toString('utf8', 8, headerEnd)) as Header,
    data: bytes.subarray(headerEnd),
  }
  delete (file.header as Record<string, unknown>)['__metadata__']
  change(file)
  const header = Buffer.from(JSON.stringify(file.header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(file.headerBytes ?? header.length))
  writeFileSync(path, Buffer.concat([length, header, file.data]).subarray(0, file.fileBytes))
}
