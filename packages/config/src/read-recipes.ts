import { orderRecipes } from './merge-names.ts'
import { type ParseOptions, readDocument, type ReadConfig } from './parse-config.ts'
import { parseYamlDocuments } from './parse-yaml.ts'
import type { ConfigIssue } from './errors.ts'
import { treeFromObject } from './tree-from-object.ts'

/** How the recipes of a file are read. */
export interface RecipesOptions extends ParseOptions {
  /** Whether all of them may have names, even one alone: then none is the output. */
  readonly allNamed?: boolean
}

/** The recipes of one file. */
export interface ReadRecipes {
  /** In the order of the file; one alone has no name. */
  readonly recipes: readonly ReadConfig[]
  /** What is wrong with how they name one another. */
  readonly issues: readonly ConfigIssue[]
  /** Indices of recipes: each after those that it is made of, the output last if there is one; empty where names are wrong. */
  readonly order: readonly number[]
}

/**
 * Reads a file of one or several recipes, separated by `---`: all but the output have a `name`, by which others call them wherever
 * they name a model. Documents that hold nothing are left out.
 * @param given the YAML, or one recipe as an object with the same keys
 * @throws ConfigError where a text is no YAML, or an object no plain data
 */
export function readRecipes(given: string | object, options: RecipesOptions = {}): ReadRecipes {
  const roots = typeof given === 'string' ? parseYamlDocuments(given, options.file) : [treeFromObject(given)]
  const recipes = roots.map((root) => readDocument(root, options, roots.length > 1 || options.allNamed === true))
  if (recipes.length === 1 && options.allNamed !== true) return { recipes, issues: [], order: [0] }
  return { recipes, ...orderRecipes(recipes, options) }
}
