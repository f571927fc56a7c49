// Plain old JavaScript, which also runs on what is too old for everything else.
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(
    `error: this is Node ${process.versions.node}, and 20.19 or later is needed; https://nodejs.org has the newest\n`,
  )
  process.exit(2)
}
