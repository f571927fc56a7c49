import { endProcess } from '../commands/end-process.ts'
import { mkSlurm } from '../slurm/mk-slurm.ts'

endProcess(await mkSlurm(process.argv.slice(2)))
