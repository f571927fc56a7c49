// One small program for each package and face that scripts/layers.json has among those without Node: the example of its README
// where that needs no Node either, else one of the folder `exercises`. A name without any is an error.
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = new URL('../../../', import.meta.url)

/** @returns the code by name, to stand in this folder */
export function listExercises() {
  const { withoutNode } = JSON.parse(readFileSync(new URL('scripts/layers.json', root), 'utf8'))
  return withoutNode.map((name) => [name, ownExercise(name) ?? readmeExample(name) ?? fail(name)])
}

function ownExercise(name) {
  const file = new URL(`exercises/${name.replaceAll('/', '-')}.mjs`, import.meta.url)
  return existsSync(file) ? `import './exercises/${name.replaceAll('/', '-')}.mjs'` : undefined
}

function readmeExample(name) {
  if (name.includes('/')) return undefined
  const readme = readFileSync(new URL(`packages/${name}/README.md`, root), 'utf8')
  return [...readme.matchAll(/```ts\n([\s\S]*?)```/g)]
    .map(([, code]) => code)
    .find((code) => !/from '(node:|@mk\/[^']+\/node')/.test(code) && code.includes('console.log'))
}

function fail(name) {
  throw new Error(
    `${name} needs no Node, says scripts/layers.json, but nothing shows it in ${fileURLToPath(new URL('exercises', import.meta.url))}`,
  )
}
