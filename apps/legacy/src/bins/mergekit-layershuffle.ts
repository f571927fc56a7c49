import { endProcess } from '@mk/cli'
import { mergekitLayershuffle } from '../mergekit-layershuffle.ts'

export const ended = mergekitLayershuffle(process.argv.slice(2)).then(endProcess)
