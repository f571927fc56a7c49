// Every picture by the name of its file, as the function that draws it from mk's own output.
import { drawKept, drawMethods } from './methods.mjs'
import { drawGradient, drawPipeline, drawSlices } from './plans.mjs'
import { drawSession } from './session.mjs'
import { drawSpeed } from './speed.mjs'

export const pictures = {
  session: drawSession,
  speed: drawSpeed,
  pipeline: drawPipeline,
  gradient: drawGradient,
  slices: drawSlices,
  methods: drawMethods,
  kept: drawKept,
}
