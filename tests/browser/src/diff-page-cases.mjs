import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** Looks at the page that mk-diff --html writes, opened from the disk as its reader does. */
export async function diffPageCases({ browser, check, root, work }) {
  const file = join(work, 'diff.html')
  const models = ['llama-ft1', 'llama-ft2', 'llama-base'].map((name) => join(root, 'goldens/models', name))
  const { status, stderr } = spawnSync(
    process.execPath,
    [
      join(root, 'apps/cli/bin/mk-diff.cjs'),
      models[0],
      models[1],
      '--base',
      models[2],
      '--effective-rank',
      '--html',
      file,
      '--quiet',
    ],
    { encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(stderr)

  const page = await browser.newPage()
  const complaints = []
  const requests = []
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  page.on('request', (request) => requests.push(request.url()))
  await page.setViewport({ width: 1280, height: 900 })
  await page.goto(pathToFileURL(file).href)
  const text = (selector) => page.$eval(selector, (element) => element.textContent)
  const measure = (name) =>
    page.$$eval(
      '#measures button',
      (all, wanted) => all.find(({ textContent }) => textContent === wanted).click(),
      name,
    )
  const shades = () =>
    page.$$eval('.map td[tabindex]', (all) => all.map((cell) => getComputedStyle(cell).backgroundColor))

  await check('the page of a comparison says the verdict on top', async () => {
    expect(/is close to .*differs by/.test(await text('#verdict')), true)
    const [verdict, map] = await page.$$eval('#verdict, #maps', (all) =>
      all.map((each) => each.getBoundingClientRect().top),
    )
    expect(verdict < map && verdict < 300, true)
  })

  await check('its map has a row for each layer and a column for each kind, in shades that differ', async () => {
    const rows = await page.$$eval('.map:first-child tbody th', (all) => all.map(({ textContent }) => textContent))
    expect(rows, ['layer 0', 'layer 1', 'layer 2', 'layer 3'].slice(0, rows.length))
    const columns = await page.$$eval('.map:first-child thead th span', (all) =>
      all.map(({ textContent }) => textContent),
    )
    for (const kind of ['self_attn.q_proj', 'mlp.down_proj', 'input_layernorm'])
      if (!columns.includes(kind)) throw new Error(columns.join())
    const cells = await page.$$eval('.map:first-child tbody td', (all) => all.map(({ textContent }) => textContent))
    expect(cells.length, rows.length * columns.length)
    expect(
      cells.every((cell) => cell.endsWith(' %')),
      true,
    )
    expect(new Set(await shades()).size > 5, true)
    return `${rows.length} × ${columns.length}`
  })

  await check('each measure draws the map anew', async () => {
    const before = await shades()
    await measure('cosine of changes')
    expect(await page.$$eval('#measures [aria-pressed=true]', (all) => all.map(({ textContent }) => textContent)), [
      'cosine of changes',
    ])
    const after = await shades()
    expect(after.length, before.length)
    expect(JSON.stringify(after) === JSON.stringify(before), false)
    expect(/cosine of A − base/.test(await text('#legend')), true)
  })

  await check('a cell tells all of its numbers, by pointer and by keyboard', async () => {
    await page.hover('.map:first-child tbody td')
    const pointed = await text('#detail')
    expect(/^layer 0, .*differs by .*overlap/.test(pointed), true)
    await page.focus('.map:first-child tbody tr:last-child td:last-child')
    expect((await text('#detail')) === pointed, false)
  })

  await check('its tensors can be searched and sorted', async () => {
    await page.type('#search', 'layers.1.mlp')
    const names = () => page.$$eval('#tensors tbody td:first-child', (all) => all.map(({ textContent }) => textContent))
    expect(
      (await names()).every((name) => name.includes('layers.1.mlp')),
      true,
    )
    const values = async () => {
      await page.$$eval('#tensors th button', (all) =>
        all.find(({ textContent }) => textContent === 'differs by').click(),
      )
      return page.$$eval('#tensors tbody td:nth-child(4)', (all) =>
        all.map(({ textContent }) => Number.parseFloat(textContent)),
      )
    }
    const down = await values()
    expect(
      down,
      down.toSorted((a, b) => b - a),
    )
    const up = await values()
    expect(
      up,
      up.toSorted((a, b) => a - b),
    )
    expect(up.length, 3)
  })

  await check('it fits a narrow screen, on paper and in the dark', async () => {
    await page.setViewport({ width: 360, height: 700 })
    const isWider = () => page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth)
    expect(await isWider(), false)
    const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
    const light = await paper()
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }])
    expect((await paper()) === light, false)
  })

  await check('it asks nobody for anything, and complains of nothing', async () => {
    expect(
      requests.map((url) => new URL(url).protocol),
      ['file:'],
    )
    expect(complaints, [])
  })
  await page.close()
}

function expect(found, expected) {
  const [left, right] = [found, expected].map((value) => JSON.stringify(value, undefined, 1))
  if (left !== right) throw new Error(`found ${left}\nexpected ${right}`)
}
