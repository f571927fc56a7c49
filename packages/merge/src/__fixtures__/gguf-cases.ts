import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readCase, requestOf } from '../../../gguf/src/convert/__fixtures__/cases.ts'
import { tinyWeights } from '../../../gguf/src/convert/__fixtures__/tiny-weights.ts'
import { writeModel } from './models.ts'

export interface MadeModel {
  /** Every element is multiplied by it. */
  readonly factor?: number
  /** Laid over the config of the case. */
  readonly config?: Readonly<Record<string, unknown>>
  readonly tokenizer?: (text: string) => string
  /** A name that the elements come from instead of the tensor's own. */
  readonly nameOf?: (name: string) => string
}

/** Writes a made model of the conversion's fixtures as transformers has it. */
export async function writeCase(
  folder: string,
  name: string,
  { factor = 1, config, tokenizer, nameOf }: MadeModel = {},
): Promise<void> {
  const request = requestOf(name, 'F32')
  const { weights, norm } = readCase(name)
  const tensors = Object.fromEntries(
    weights!.map((tensor) => {
      const values = tinyWeights(nameOf?.(tensor.name) ?? tensor.name, tensor.shape, norm!)
      return [tensor.name, { shape: tensor.shape, value: (index: number) => values[index]! * factor }]
    }),
  )
  const files = Object.fromEntries(
    [...request.documents]
      .filter(([file]) => file !== 'config.json')
      .map(([file, text]) => [file, file === 'tokenizer.json' ? (tokenizer?.(text) ?? text) : text]),
  )
  await mkdir(folder, { recursive: true })
  await writeModel(folder, { config: { ...request.config, ...config }, tensors, files })
  if (request.sentencePiece !== undefined) await writeFile(join(folder, 'tokenizer.model'), request.sentencePiece)
}
