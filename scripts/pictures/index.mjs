// Draws the pictures of the documents from mk's own output: npm run pictures [NAME…]
import { mkdirSync, writeFileSync } from 'node:fs'
import { bootstrap, root } from '../bootstrap.mjs'

bootstrap()
const { pictures } = await import('./pictures.mjs')

const asked = process.argv.slice(2)
const unknown = asked.find((name) => !(name in pictures))
if (unknown !== undefined) {
  console.error(`there is no picture '${unknown}'; there are ${Object.keys(pictures).join(', ')}`)
  process.exit(2)
}
mkdirSync(`${root}/docs/pictures`, { recursive: true })
for (const name of asked.length > 0 ? asked : Object.keys(pictures)) {
  writeFileSync(`${root}/docs/pictures/${name}.svg`, await pictures[name](root))
  console.log(`wrote docs/pictures/${name}.svg`)
}
