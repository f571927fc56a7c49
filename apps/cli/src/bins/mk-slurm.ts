import { endProcess } from '../commands/end-process.ts'
import { mkSlurm } from '../slurm/mk-slurm.ts'

export const ended = mkSlurm(process.argv.slice(2)).then(endProcess)
