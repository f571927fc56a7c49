import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { openCheckpoint, parsePythonJson } from '@mk/checkpoint'
import { ifPresent, isRecord, issueErrorOf } from '@mk/errors'
import { parseIndex } from '@mk/safetensors'
import { readSafetensorsHeader } from '@mk/safetensors/node'
import type { TensorSource } from '@mk/source'
import { InspectError } from '../errors.ts'
import { doubt, type Fault, fault } from './fault.ts'

/** A tensor of an output, and the file that it is in. */
export interface OutputTensor {
  readonly file: string
  readonly source: TensorSource
}

/** An output as far as its headers and small files tell, and what of them is wrong. */
export interface ReadOutput {
  readonly folder: string
  /** Whether it is all of the folder, and not a file in it. */
  readonly isFolder: boolean
  /** Files of weights that are there, inside the folder. */
  readonly files: readonly string[]
  readonly tensors: ReadonlyMap<string, OutputTensor>
  readonly config: Readonly<Record<string, unknown>> | undefined
  readonly faults: readonly Fault[]
}

export const INDEX = 'model.safetensors.index.json'

/**
 * Reads what an output has but for its weights: whole model folders of any program, or a file of weights alone.
 * @throws InspectError 'output-missing'; what the operating system says
 */
export async function readOutput(path: string): Promise<ReadOutput> {
  const stats = await ifPresent(stat(path))
  if (stats === undefined) throw new InspectError({ code: 'output-missing', path })
  const faults: Fault[] = []
  const isFolder = stats.isDirectory()
  const folder = isFolder ? path : dirname(resolve(path))
  const names = isFolder ? (await readdir(path)).toSorted() : [basename(path)]
  const config = isFolder ? await readConfig(folder, names, faults) : undefined
  const read = names.some((name) => name.endsWith('.safetensors') || name === INDEX)
    ? await readSafetensors(folder, names, faults, isFolder)
    : await readOthers(path, names, faults)
  for (const name of names)
    if (/^(journal\.json(\.new)?|\.parts)$|\.partial(-|$)/.test(name))
      faults.push(doubt('extra-file', `${name} is left of a merge that was under way`, { file: name }))
  return { folder, isFolder, config, faults, ...read }
}

async function readConfig(folder: string, names: readonly string[], faults: Fault[]): Promise<ReadOutput['config']> {
  let config: ReadOutput['config']
  for (const name of names.filter((each) => each.endsWith('.json') && each !== INDEX)) {
    try {
      const value: unknown = parsePythonJson(await readFile(join(folder, name), 'utf8'))
      if (name !== 'config.json') continue
      if (isRecord(value)) config = value
      else faults.push(fault('config', `${name} is no JSON object`, { file: name }))
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
      faults.push(fault('config', `${name} is no JSON: ${error.message}`, { file: name }))
    }
  }
  return config
}

type Weights = Pick<ReadOutput, 'files' | 'tensors'>

async function readSafetensors(
  folder: string,
  names: readonly string[],
  faults: Fault[],
  isFolder: boolean,
): Promise<Weights> {
  const files = names.filter((name) => name.endsWith('.safetensors'))
  const tensors = new Map<string, OutputTensor>()
  const unreadable = new Set<string>()
  for (const file of files) {
    const path = join(folder, file)
    try {
      const header = await readSafetensorsHeader(path)
      for (const { name, dtype, shape, byteStart } of header.tensors) {
        const other = tensors.get(name)
        if (other === undefined)
          tensors.set(name, { file, source: { kind: 'file', file: path, dtype, shape, byteStart } })
        else
          faults.push(
            fault('index', `${file} has a tensor that ${other.file} has, too: ${name}`, { file, tensor: name }),
          )
      }
    } catch (error) {
      const { fault: kind } = issueErrorOf(error) ?? {}
      if (kind !== 'usage') throw error
      unreadable.add(file)
      faults.push(fault('file-unreadable', (error as Error).message.replaceAll(path, file), { file }))
    }
  }
  if (names.includes(INDEX)) await compareIndex(folder, { files, tensors, unreadable }, faults)
  else if (isFolder) checkNumbering(files, faults)
  return { files, tensors }
}

/** Where shards come without an index, their names still tell how many there must be. */
function checkNumbering(files: readonly string[], faults: Fault[]): void {
  const [first] = files
  if (first === undefined) return
  const [, stem, count] = /^(.*-)\d{5,}-of-(\d{5,})\.safetensors$/.exec(first) ?? []
  for (let number = 1; number <= Number(count ?? 0); number++) {
    const name = `${stem}${String(number).padStart(5, '0')}-of-${count}.safetensors`
    if (!files.includes(name))
      faults.push(fault('file-missing', `${name} is not there, though ${first} is`, { file: name }))
  }
  if (files.length > 1 && count !== undefined)
    faults.push(
      fault('index', `${INDEX} is not there, without which no loader reads ${files.length} files`, { file: INDEX }),
    )
  if (files.includes('model.safetensors'))
    for (const file of files)
      if (file !== 'model.safetensors')
        faults.push(
          fault('extra-file', `${file} is no part of the model, but some loaders read every file of weights`, { file }),
        )
}

interface Shards extends Weights {
  readonly unreadable: ReadonlySet<string>
}

async function compareIndex(folder: string, { files, tensors, unreadable }: Shards, faults: Fault[]): Promise<void> {
  const text = await readFile(join(folder, INDEX), 'utf8')
  let index: ReturnType<typeof parseIndex>
  try {
    index = parseIndex(text, INDEX)
  } catch (error) {
    faults.push(fault('index', (error as Error).message, { file: INDEX }))
    return
  }
  const { weightMap, metadata } = index
  const listed = new Set(weightMap.values())
  for (const file of listed)
    if (!files.includes(file))
      faults.push(fault('file-missing', `${file} is not there, though ${INDEX} lists tensors of it`, { file }))
  for (const file of files)
    if (!listed.has(file))
      faults.push(
        fault('extra-file', `${file} is not listed by ${INDEX}, but some loaders read every file of weights`, { file }),
      )
  for (const [name, file] of weightMap) {
    const found = tensors.get(name)
    if (found === undefined && files.includes(file) && !unreadable.has(file))
      faults.push(
        fault('index', `${INDEX} lists a tensor that ${file} has not: ${name}`, { file: INDEX, tensor: name }),
      )
    if (found !== undefined && found.file !== file)
      faults.push(
        fault('index', `${INDEX} places ${name} in ${file}, but it is in ${found.file}`, { file: INDEX, tensor: name }),
      )
  }
  for (const [name, { file }] of tensors)
    if (listed.has(file) && !weightMap.has(name))
      faults.push(
        fault('index', `${file} has a tensor that ${INDEX} does not list: ${name}`, { file: INDEX, tensor: name }),
      )
  const { total_size: stated } = metadata
  if (stated === undefined || unreadable.size > 0) return
  const total = await totalBytes([...listed].filter((file) => files.includes(file)).map((file) => join(folder, file)))
  if (stated !== total && [...listed].every((file) => files.includes(file)))
    faults.push(
      fault('index', `${INDEX} says that the tensors have ${String(stated)} bytes, but they have ${total}`, {
        file: INDEX,
      }),
    )
}

async function totalBytes(files: readonly string[]): Promise<number> {
  const headers = await Promise.all(files.map((file) => readSafetensorsHeader(file)))
  return headers.reduce(
    (sum, { tensors }) => sum + tensors.reduce((all, { byteStart, byteEnd }) => all + byteEnd - byteStart, 0),
    0,
  )
}

/** A GGUF, or torch's files: as far as they can be opened. */
async function readOthers(path: string, names: readonly string[], faults: Fault[]): Promise<Weights> {
  const files = names.filter((name) => /\.(gguf|bin|pt|pth)$/.test(name))
  if (files.length === 0) {
    faults.push(fault('no-weights', 'there are no weights'))
    return { files, tensors: new Map() }
  }
  const [gguf] = files.filter((name) => name.endsWith('.gguf'))
  const model = gguf === undefined || names.length === 1 ? path : join(path, gguf)
  try {
    const { tensors } = await openCheckpoint({ path: resolve(model), adapters: [] }, { roots: ['/'] })
    const file = gguf ?? files[0]!
    return { files, tensors: new Map([...tensors].map(([name, source]) => [name, { file, source }])) }
  } catch (error) {
    if (issueErrorOf(error)?.fault !== 'usage') throw error
    faults.push(fault('file-unreadable', (error as Error).message, { file: gguf ?? files[0]! }))
    return { files, tensors: new Map() }
  }
}
