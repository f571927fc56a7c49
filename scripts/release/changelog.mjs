// What changesets writes into the changelogs: each change as its changeset says it. Which dependencies got a new version is not a
// change: all packages have the same.

/** Writes the lines of a change. */
export const getReleaseLine = async ({ summary }) => {
  const [first, ...others] = summary.trim().split('\n')
  return [`- ${first}`, ...others.map((line) => `  ${line}`.trimEnd())].join('\n')
}

/** Writes nothing of dependencies. */
export const getDependencyReleaseLine = async () => ''
