// All that can go wrong in any package, read from the tables of rules on the error classes that its entries export.
import { readdirSync, readFileSync } from 'node:fs'

const root = new URL('..', import.meta.url)

/**
 * Collects the rules of every package, in the order of the folders and of the tables: package, name of the class, code, fault,
 * and an `error` of that code whose facts read as their names. It is absent where the text can't be made of such, as where it
 * gathers facts in a rest parameter.
 */
export async function collectRules() {
  const rules = []
  for (const { package: name, ErrorClass } of await collectErrorClasses())
    for (const [code, { fault }] of Object.entries(ErrorClass.rules))
      rules.push({ package: name, className: ErrorClass.name, code, fault, error: makeExample(ErrorClass, code) })
  return rules
}

/** Collects the error classes of every package, each once for a package that exports it. */
export async function collectErrorClasses() {
  const found = []
  for (const { name, specifiers } of listPackages()) {
    const classes = new Set()
    for (const specifier of specifiers)
      for (const exported of Object.values(await import(specifier))) if (isErrorClass(exported)) classes.add(exported)
    for (const ErrorClass of classes) found.push({ package: name, ErrorClass })
  }
  return found
}

function listPackages() {
  return ['packages', 'apps'].flatMap((group) =>
    readdirSync(new URL(group, root))
      .map((folder) => JSON.parse(readFileSync(new URL(`${group}/${folder}/package.json`, root), 'utf8')))
      .map(({ name, exports }) => ({
        name,
        specifiers: Object.keys(exports ?? {})
          // A worker starts by being loaded.
          .filter((entry) => !entry.endsWith('.json') && !/\bworker$/.test(entry))
          .map((entry) => name + entry.slice(1)),
      })),
  )
}

const isErrorClass = (value) => typeof value === 'function' && Object.hasOwn(value, 'prototype') && 'rules' in value

function makeExample(ErrorClass, code) {
  try {
    // What defineError made: the class itself may take more than an issue.
    const Made = Object.getPrototypeOf(ErrorClass)
    return new Made(exampleIssue(code))
  } catch {
    return undefined
  }
}

/** An issue whose every fact reads as its name: ‹file›. */
const exampleIssue = (code) =>
  new Proxy(
    { code },
    { get: (issue, key) => (key === 'code' || typeof key === 'symbol' ? issue[key] : placeholder(key)) },
  )

/** What stands for a text, a number, a list of one or an object, and reads as its name wherever it is printed. */
function placeholder(name) {
  const text = `‹${name}›`
  const asText = () => text
  const one = () => [placeholder(name)]
  const known = {
    [Symbol.toPrimitive]: asText,
    [Symbol.iterator]: () => one().values(),
    toString: asText,
    toJSON: asText,
    join: asText,
    split: () => [text],
    map: (each) => one().map(each),
    flatMap: (each) => one().flatMap(each),
    ...Object.fromEntries(changing.map((key) => [key, () => placeholder(name)])),
  }
  // A function, so that it is no text and no number where an expression asks what it is.
  return new Proxy(() => {}, {
    get: (_, key) => known[key] ?? (typeof key === 'symbol' ? undefined : placeholder(key)),
  })
}

/** What gives back much the same thing. */
const changing = ['slice', 'filter', 'toSorted', 'concat', 'replace', 'replaceAll', 'trim', 'toFixed', 'toLocaleString']
