import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeMatrices } from './write-matrices.mjs'

const models = ['tiny-base', 'tiny-code', 'tiny-prose']
const all = 'models: [{model: tiny-code}, {model: tiny-prose}]'

/** Merged in the page and by the command, with the same name and seed. */
const recipes = {
  linear: `merge_method: linear\nparameters: {weight: 0.5}\n${all}`,
  'slerp with a gradient': `merge_method: slerp\nbase_model: tiny-code\nparameters: {t: [{filter: mlp, value: [0, 1]}, {value: 0.3}]}\n${all}\ndtype: float16`,
  ties: `merge_method: ties\nbase_model: tiny-base\nparameters: {weight: 0.5, density: 0.4}\n${all}`,
  dare_ties: `merge_method: dare_ties\nbase_model: tiny-base\nparameters: {weight: 0.5, density: 0.4}\n${all}`,
  model_stock: `merge_method: model_stock\nbase_model: tiny-base\n${all}`,
  'slices into float32': `merge_method: passthrough\nslices:\n- sources: [{model: tiny-code, layer_range: [0, 4]}]\n- sources: [{model: tiny-prose, layer_range: [2, 6]}]\ndtype: float32`,
  'a GGUF of Q8_0': `merge_method: linear\nparameters: {weight: 0.5}\n${all}\nout_format: gguf\nout_dtype: q8_0`,
  'a merge of merges': `name: mean\nmerge_method: linear\nparameters: {weight: 1}\n${all}\n---\nmerge_method: slerp\nbase_model: tiny-base\nparameters: {t: 0.5}\nmodels: [{model: tiny-base}, {model: mean}]`,
  'a union of vocabularies': `merge_method: linear\nparameters: {weight: 1}\n${all}\ntokenizer: {source: union}\nchat_template: auto`,
}

const largeRecipes = {
  linear: 'merge_method: linear\nparameters: {weight: 0.5}\nmodels: [{model: a.safetensors}, {model: b.safetensors}]',
  ties: 'merge_method: ties\nbase_model: a.safetensors\nparameters: {weight: 1, density: 0.5}\nmodels: [{model: b.safetensors}]',
}
const large = { count: 4, shape: [1024, 4096] }

/** Merges matrices of megabytes: what is read of them comes in streams, and workers write by themselves. */
async function largeCases({ page, check, work, fill, run, outputHashes, commandHashes }) {
  const paths = ['a', 'b'].map((name, index) => {
    const path = join(work, `${name}.safetensors`)
    writeMatrices(path, { ...large, seed: index + 1 })
    return path
  })
  const opened = await page.$$eval('#models li', (all) => all.length)
  const input = await page.$('#choose-files')
  await input.uploadFile(...paths)
  await page.waitForFunction((count) => document.querySelectorAll('#models li').length === count, {}, opened + 2)
  await fill('#threads', '2')
  const [engine] = page.workers()
  await engine.evaluate(() => {
    const counts = (globalThis.counts = { streams: 0, writtenBytes: 0 })
    const { stream } = Blob.prototype
    Blob.prototype.stream = function () {
      counts.streams++
      return stream.call(this)
    }
    const { write } = FileSystemSyncAccessHandle.prototype
    FileSystemSyncAccessHandle.prototype.write = function (bytes, options) {
      counts.writtenBytes += bytes.length
      return write.call(this, bytes, options)
    }
  })
  for (const [name, recipe] of Object.entries(largeRecipes))
    await check(
      `${name} of large matrices reads in streams, and workers write: the files of mergekit-yaml`,
      async () => {
        await engine.evaluate(() => Object.assign(globalThis.counts, { streams: 0, writtenBytes: 0 }))
        await fill('#recipe', recipe)
        await run('#merge')
        expect(await outputHashes(), await commandHashes(recipe, {}, work))
        const { streams, writtenBytes } = await engine.evaluate(() => globalThis.counts)
        // Fewer than one for each task and file; how many depends on who asks first.
        if (streams < 2 || streams >= 2 * large.count * 4) throw new Error(`${streams} streams`)
        // Headers and small files: no tensor's bytes.
        if (writtenBytes >= large.shape[0] * large.shape[1])
          throw new Error(`the engine wrote ${writtenBytes} bytes itself`)
        return `${streams} streams`
      },
    )
}

/** Drives the example page as its user does. */
export async function pageCases({ browser, url, check, root, work, startHubServer }) {
  const folder = join(root, 'examples/models')
  const mergekit = join(root, 'apps/cli/bin/mergekit-yaml.cjs')
  let runs = 0

  /** What the command writes, as hashes by name. The output is called `merged`, as in the page. */
  async function commandHashes(recipe, environment = {}, folderOfModels = folder) {
    const place = join(work, `command-${++runs}`)
    mkdirSync(place)
    writeFileSync(join(place, 'recipe.yml'), recipe)
    const out = join(place, 'merged')
    // In a browser, cards have none.
    const child = spawn(process.execPath, [mergekit, join(place, 'recipe.yml'), out, '--quiet', '--no-checksums'], {
      cwd: folderOfModels,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let stderr = ''
    child.stderr.on('data', (text) => (stderr += text))
    const status = await new Promise((resolve) => child.on('close', resolve))
    if (status !== 0) throw new Error(stderr)
    return Object.fromEntries(
      readdirSync(out)
        .toSorted()
        .map((name) => [
          name,
          createHash('sha256')
            .update(readFileSync(join(out, name)))
            .digest('hex'),
        ]),
    )
  }

  const page = await browser.newPage()
  const complaints = []
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  await page.goto(url)

  const text = (selector) => page.$eval(selector, (element) => element.textContent)
  const isShown = (selector) => page.$eval(selector, (element) => !element.hidden)
  const fill = (selector, value) =>
    page.$eval(
      selector,
      (element, wanted) => {
        element.value = wanted
        element.dispatchEvent(new Event('input', { bubbles: true }))
      },
      value,
    )
  /** Waits for the end of what a button has begun. */
  const settled = () => page.waitForFunction(() => !document.getElementById('merge').disabled, { timeout: 60_000 })
  async function run(button) {
    await page.click(button)
    await settled()
    if (await isShown('#error')) throw new Error(await text('#error'))
  }
  const outputHashes = (name = 'merged') =>
    page.evaluate(async (of) => {
      const output = await (await navigator.storage.getDirectory()).getDirectoryHandle(of)
      const hashes = {}
      for await (const [file, handle] of output.entries()) {
        const bytes = await (await handle.getFile()).arrayBuffer()
        const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
        hashes[file] = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
      }
      return Object.fromEntries(Object.entries(hashes).sort())
    }, name)
  const outputs = () =>
    page.evaluate(async () => {
      const names = []
      for await (const name of (await navigator.storage.getDirectory()).keys()) names.push(name)
      return names
    })

  await check('model folders open, and show their tensors', async () => {
    for (const [index, model] of models.entries()) {
      const input = await page.$('#choose-folder')
      await input.uploadFile(join(folder, model))
      await page.waitForFunction((count) => document.querySelectorAll('#models li').length === count, {}, index + 1)
    }
    expect(
      await page.$$eval('#models .facts', (all) => all.map(({ textContent }) => textContent.replace(/,.*, /, ', '))),
      models.map(() => '57 tensors, LlamaForCausalLM'),
    )
    await fill('#filter', 'layers\\.[01]\\..*q_proj')
    expect(await page.$$eval('#tensor-rows tr', (rows) => rows.map(({ textContent }) => textContent)), [
      'model.layers.0.self_attn.q_proj.weight128 × 128BF1632.8 kB',
      'model.layers.1.self_attn.q_proj.weight128 × 128BF1632.8 kB',
    ])
    await fill('#filter', '')
  })

  await check('the form makes a recipe of what is known of the methods', async () => {
    await page.select('#method', 'ties')
    await page.select('#base', 'tiny-base')
    await page.$$eval('#recipe-form input[name=density]', (inputs) => inputs.forEach((input) => (input.value = '0.3')))
    await page.$eval('#recipe-form', (form) => form.dispatchEvent(new Event('input')))
    const made = await page.$eval('#recipe', ({ value }) => value)
    for (const part of ['merge_method: ties', 'base_model: tiny-base', 'model: tiny-code', 'density: 0.3', 'weight: 1'])
      if (!made.includes(part)) throw new Error(`${made}\nlacks ${part}`)
    await run('#check')
  })

  for (const [name, recipe] of Object.entries(recipes))
    await check(`${name}: the files of mergekit-yaml, byte for byte`, async () => {
      await fill('#recipe', recipe)
      await run('#merge')
      const found = await outputHashes()
      expect(found, await commandHashes(recipe))
      return `${Object.keys(found).length} files`
    })

  await check('what was merged can be saved', async () => {
    const links = await page.$$eval('#result .files a', (all) => all.map(({ download }) => download))
    if (!links.includes('model.safetensors')) throw new Error(links.join())
    const size = await page.$$eval('#result .files a', async (all) => {
      const link = all.find(({ download }) => download === 'config.json')
      return JSON.parse(await (await fetch(link.href)).text()).model_type
    })
    expect(size, 'llama')
  })

  await check('notes are shown', async () => {
    await fill(
      '#recipe',
      'merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: tiny-code}, {model: tiny-prose}]',
    )
    await run('#merge')
    const notes = await page.$$eval('#result .notes li', (all) => all.map(({ textContent }) => textContent))
    if (!notes.some((note) => note.includes('1536'))) throw new Error(notes.join('\n') || 'none')
  })

  await check('files that are dropped open, and a merge of them can be canceled', async () => {
    await page.evaluate(() => {
      // Two files of 256 MB of which the page holds a megabyte.
      const tensor = { dtype: 'BF16', shape: [8192, 16384], data_offsets: [0, 2 ** 28] }
      const header = new TextEncoder().encode(JSON.stringify({ w: tensor }).padEnd(120))
      const length = new Uint8Array(new BigUint64Array([BigInt(header.length)]).buffer)
      const piece = new Uint8Array(2 ** 20).fill(0x3c)
      const transfer = new DataTransfer()
      for (const name of ['big-a.safetensors', 'big-b.safetensors'])
        transfer.items.add(new File([length, header, ...Array.from({ length: 256 }, () => piece)], name))
      document
        .getElementById('drop')
        .dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }))
    })
    await page.waitForFunction(() => document.querySelectorAll('#models li').length === 5)
    await fill('#name', 'big')
    await fill(
      '#recipe',
      'merge_method: della\nbase_model: big-a.safetensors\nparameters: {weight: 1, density: 0.5}\nmodels: [{model: big-b.safetensors}]',
    )
    await page.click('#merge')
    await page.waitForFunction(() => /of 268 MB/.test(document.getElementById('status').textContent), {
      timeout: 60_000,
    })
    await page.click('#cancel')
    await settled()
    expect(await text('#error'), 'Canceled; nothing was kept.')
    expect((await outputs()).includes('big'), false)
    await fill('#name', 'merged')
  })

  const errors = {
    'a model that is not there': [
      'merge_method: linear\nparameters: {weight: 1}\nmodels:\n- model: ./tiny-cod\n',
      /recipe\.yml:4:10.*tiny-cod.*tiny-code/s,
    ],
    'an unknown method': ['merge_method: lineer\nmodels: [{model: tiny-code}]', /recipe\.yml:1:15.*lineer.*linear/s],
    'several faults': [
      'merge_method: ties\nbase_model: tiny-base\nparameters: {densty: 1, weight: a}\nmodels: [{model: tiny-code}]',
      /recipe\.yml:3:14.*density[\s\S]*recipe\.yml:3:33/,
    ],
    'what is no YAML': ['models: [', /recipe\.yml:1:/],
  }
  for (const [name, [recipe, expected]] of Object.entries(errors))
    await check(`${name} is told with line and column`, async () => {
      await fill('#recipe', recipe)
      await page.click('#merge')
      await settled()
      const error = await text('#error')
      if (!(await isShown('#error')) || !expected.test(error)) throw new Error(error)
    })

  await check('a model of the hub merges by ranges of its files, with plain GET requests', async () => {
    const prose = join(folder, 'tiny-prose')
    const hub = await startHubServer({
      id: 'org/prose',
      commit: 'c'.repeat(40),
      files: Object.fromEntries(readdirSync(prose).map((name) => [name, readFileSync(join(prose, name))])),
      headers: {
        'access-control-allow-origin': '*',
        'access-control-expose-headers': 'Link, X-Error-Code, Content-Range',
      },
    })
    try {
      await fill('#endpoint', hub.url)
      await fill('#hub-id', 'org/prose')
      await page.click('#hub button')
      await page.waitForFunction(() =>
        [...document.querySelectorAll('#models li')].some(({ textContent }) => textContent.includes('org/prose')),
      )
      const recipe =
        'merge_method: slerp\nbase_model: tiny-code\nparameters: {t: 0.4}\nmodels: [{model: tiny-code}, {model: org/prose}]'
      await fill('#recipe', recipe)
      await run('#merge')
      const asked = hub.requests.map(({ method, path, range }) => ({ method, path, range }))
      const weights = asked.filter(({ path }) => path.startsWith('/blobs/'))
      if (weights.length === 0 || weights.some(({ range }) => range === undefined))
        throw new Error(JSON.stringify(weights))
      expect([...new Set(asked.map(({ method }) => method))], ['GET'])
      const expected = await commandHashes(recipe, {
        HF_ENDPOINT: hub.url,
        HF_HOME: join(work, 'hub'),
        HF_HUB_OFFLINE: '',
      })
      expect(await outputHashes(), expected)
      await fill('#recipe', recipe.replace('org/prose', 'org/none'))
      await page.click('#merge')
      await settled()
      if (!/org\/none/.test(await text('#error'))) throw new Error(await text('#error'))
    } finally {
      await hub.close()
    }
  })

  await largeCases({ page, check, work, fill, run, outputHashes, commandHashes })

  await check('the page has names for what can be used, and complains of nothing', async () => {
    const tree = await page.accessibility.snapshot()
    const unnamed = []
    const visit = (node) => {
      if (/^(button|textbox|combobox|searchbox|spinbutton|checkbox)$/.test(node.role) && !node.name)
        unnamed.push(node.role)
      for (const child of node.children ?? []) visit(child)
    }
    visit(tree)
    expect(unnamed, [])
    // The hub answers 404 to the model that it hasn't, which a browser reports by itself.
    expect(
      complaints.filter((each) => !each.includes('404')),
      [],
    )
  })
  await page.close()
}

function expect(found, expected) {
  const [left, right] = [found, expected].map((value) => JSON.stringify(value, undefined, 1))
  if (left !== right) throw new Error(`found ${left}\nexpected ${right}`)
}
