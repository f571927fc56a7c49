import { openCheckpointFrom } from '@mk/checkpoint/portable'
import { createFileMap } from '@mk/source/web'
import { tinyModel } from '../tiny-model.mjs'

const places = { store: createFileMap(new Map(tinyModel('a', 1))) }
const open = (path) => openCheckpointFrom(places, { path, adapters: [] }, { roots: ['/'] })
const { tensors, config, notes } = await open('a')
console.log([...tensors], config, notes)
await open('b').catch(({ message }) => console.log(message))
