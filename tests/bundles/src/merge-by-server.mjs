import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { merge } from '@mk/merge'

const models = fileURLToPath(new URL('../../../examples/models/', import.meta.url))

/** Of two models, by a method that goes through its tensors several times. */
const recipe = {
  merge_method: 'ties',
  base_model: `${models}tiny-base`,
  models: [
    {
      model: `${models}tiny-code`,
      parameters: { weight: 1, density: [{ filter: 'mlp', value: [0.2, 0.8] }, { value: 0.5 }] },
    },
  ],
  dtype: 'bfloat16',
}

/** Two threads, however little there is to do; and none. */
const variants = [{ threads: 2, elementsPerThread: 1 }, { threads: 0 }]

/** Merges in this process, with the packages as they are. @returns the name and digest of each file */
export async function mergeHere() {
  const folder = mkdtempSync(join(tmpdir(), 'bundles-'))
  try {
    await merge(recipe, { out: join(folder, 'merged'), name: 'merged', threads: 0 })
    return digestsOf(join(folder, 'merged'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Moves a bundle away from everything, starts its server, and lets it merge. @returns of each variant the name and digest of each file */
export async function mergeByBundle(bundle) {
  const away = mkdtempSync(join(tmpdir(), 'bundles-'))
  try {
    cpSync(bundle, away, { recursive: true })
    return await mergeByServer([join(away, 'server.mjs')], away, /listening on (\d+)/, '/')
  } finally {
    rmSync(away, { recursive: true })
  }
}

/**
 * Starts a server and lets it merge.
 * @param ready finds the port in what the server prints
 */
export async function mergeByServer(args, cwd, ready, path) {
  const server = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] })
  const out = mkdtempSync(join(tmpdir(), 'bundles-out-'))
  try {
    const port = await portOf(server, ready)
    const results = []
    for (const [index, variant] of variants.entries()) {
      const folder = join(out, String(index))
      const body = JSON.stringify({ recipe, out: folder, name: 'merged', ...variant })
      const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', body })
      if (!response.ok) throw new Error(await response.text())
      results.push(digestsOf(folder))
    }
    return results
  } finally {
    server.kill()
    rmSync(out, { recursive: true })
  }
}

/** What the server prints is read to its end: one that can't print falls over. */
const portOf = (server, ready) =>
  new Promise((resolve, reject) => {
    let printed = ''
    server.stdout.on('data', (part) => {
      printed += part
      const port = ready.exec(printed)?.[1]
      if (port !== undefined) resolve(port)
    })
    server.stdout.once('close', () => reject(new Error(`the server ended: ${printed}`)))
  })

const digestsOf = (folder) =>
  Object.fromEntries(
    readdirSync(folder)
      .toSorted()
      .map((name) => [
        name,
        createHash('sha256')
          .update(readFileSync(join(folder, name)))
          .digest('hex'),
      ]),
  )
