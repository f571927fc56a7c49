import { endProcess } from '@mk/cli'
import { mergekitLayershuffle } from '../mergekit-layershuffle.ts'

endProcess(await mergekitLayershuffle(process.argv.slice(2)))
