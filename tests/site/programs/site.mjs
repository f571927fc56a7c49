// Builds the static site of documents and API reference into tests/site/dist: npm run site. An export without a docstring, and a link
// that leads nowhere, end it with status 1.
import { readFileSync } from 'node:fs'
import { Application, OptionDefaults, ReflectionKind } from 'typedoc'
import { listPublished, root } from '../../../scripts/workspace.mjs'

const { repository } = JSON.parse(readFileSync(`${root}/scripts/manifests.json`, 'utf8'))
const shared = {
  excludeExternals: true,
  disableGit: true,
  // As long as the repository has no address (docs/decisions/releases.md), pages have no links to its lines.
  ...(/\.example\//u.test(repository)
    ? { disableSources: true }
    : { sourceLinkTemplate: `${repository}/blob/main/{path}#L{line}` }),
  // Links to folders lead into the repository, not to a page; whether they lead somewhere, docs/links.test.ts checks.
  validation: { invalidPath: false, notExported: false },
}
const app = await Application.bootstrapWithPlugins({
  ...shared,
  name: 'mk',
  logLevel: 'Warn',
  highlightLanguages: [...OptionDefaults.highlightLanguages, 'python'],
  readme: `${root}/README.md`,
  projectDocuments: [`${root}/docs/*.md`, `${root}/docs/decisions/*.md`],
  entryPointStrategy: 'packages',
  entryPoints: listPublished()
    .filter(({ manifest }) => manifest.exports !== undefined)
    .map(({ directory }) => `${root}/${directory}`),
  out: `${root}/tests/site/dist`,
  packageOptions: shared,
})
const project = await app.convert()
if (project === undefined) process.exit(1)
app.validate(project)
const exported = project
  .getReflectionsByKind(ReflectionKind.Module)
  .flatMap((module) => module.children ?? [])
  .filter((child) => !child.kindOf([ReflectionKind.SomeModule, ReflectionKind.Reference]))
for (const child of exported) if (!isDocumented(child)) app.logger.warn(`${child.getFullName()} has no docstring`)
await app.generateOutputs(project)
const { errorCount, warningCount } = app.logger
console.log(
  `site: ${exported.length} exports and all documents in tests/site/dist; ${errorCount + warningCount} to mend`,
)
process.exitCode = errorCount + warningCount > 0 ? 1 : 0

/** A function's comment is that of its signature. */
function isDocumented(reflection) {
  const { signatures } = reflection.type?.declaration ?? reflection
  return (
    reflection.hasComment() || (signatures ?? reflection.signatures ?? []).some((signature) => signature.hasComment())
  )
}
