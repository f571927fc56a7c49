import { orderRecipes } from './merge-names.ts'
import { type ParseOptions, readDocument, type ReadConfig } from './parse-config.ts'
import { parseYamlDocuments } from './parse-yaml.ts'
import type { ConfigIssue } from './errors.ts'

/** The recipes of one file. */
export interface ReadRecipes {
  /** In the order of the file; one alone has no name. */
  readonly recipes: readonly ReadConfig[]
  /** What is wrong with how they name one another. */
  readonly issues: readonly ConfigIssue[]
  /** Indices of recipes: each after those that it is made of, the output last; empty where names are wrong. */
  readonly order: readonly number[]
}

/**
 * Reads a file of one or several recipes, separated by `---`: all but the output have a `name`, by which others call them wherever
 * they name a model. Documents that hold nothing are left out.
 * @throws ConfigError where the text is no YAML
 */
export function readRecipes(text: string, options: ParseOptions = {}): ReadRecipes {
  const roots = parseYamlDocuments(text, options.file)
  const recipes = roots.map((root) => readDocument(root, options, roots.length > 1))
  if (recipes.length === 1) return { recipes, issues: [], order: [0] }
  return { recipes, ...orderRecipes(recipes, options.file) }
}
