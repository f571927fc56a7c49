import { cpSync, existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const goldens = fileURLToPath(new URL('../../../../goldens/', import.meta.url))

/** @param {string} name of a golden model */
export const modelFolder = (name) => join(goldens, 'models', name)

/** @param {string} model @param {string} file */
export const modelFile = (model, file) => readFileSync(join(modelFolder(model), file))

/** @param {string} model @param {string} file */
export const modelJson = (model, file) => JSON.parse(modelFile(model, file).toString())

/** The header of a safetensors file, and how long its data is. @param {Buffer} bytes */
export function splitSafetensors(bytes) {
  const end = 8 + Number(bytes.readBigUInt64LE(0))
  return { header: JSON.parse(bytes.subarray(8, end).toString()), dataBytes: bytes.length - end }
}

/** @param {Buffer} head as headerBytes gives it @param {number} dataBytes of zeros */
export const withData = (head, dataBytes) => Buffer.concat([head, Buffer.alloc(Math.max(0, dataBytes))])

/** A copy of a golden model that may be changed. @param {string} name @param {string} to */
export function copyModel(name, to) {
  rmSync(to, { recursive: true, force: true })
  cpSync(modelFolder(name), to, { recursive: true })
  return to
}

/** Writes a file anew, also where a link or something else was. @param {string} folder @param {string} name @param {string | Uint8Array} content */
export function replaceFile(folder, name, content) {
  rmSync(join(folder, name), { recursive: true, force: true })
  writeFileSync(join(folder, name), content)
}

/** The recipes of the goldens, with the models where they are. */
export const goldenRecipes = () =>
  readdirSync(join(goldens, 'cases'))
    .toSorted()
    .map((name) => join(goldens, 'cases', name, 'config.yml'))
    .filter((file) => existsSync(file))
    .map((file) => readFileSync(file, 'utf8').replace(/\bmodels\//g, `${join(goldens, 'models')}/`))
    .filter((text) => text.includes('merge_method'))
