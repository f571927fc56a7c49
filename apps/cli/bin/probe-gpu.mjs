// Tries back ends of gpu.js, named in the arguments, one after the other: prints the first that works, or what the last one lacks.
// A process of its own, since native libraries write what they think of a machine without drivers to stderr.
import { createGpuRuntime } from '@mk/runtime-gpu'

let answer = {}
for (const mode of process.argv.slice(2)) {
  try {
    await (await createGpuRuntime({ mode })).close()
    answer = { mode }
    break
  } catch ({ issue, message }) {
    answer = issue ?? { missing: message }
  }
}
process.stdout.write(JSON.stringify(answer), () => process.exit(0))
