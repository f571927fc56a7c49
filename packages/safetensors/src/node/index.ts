export { readBytes, readStart, withFile } from './open-file.ts'
export { readSafetensorsHeader, readTensor, type SafetensorsFileHeader } from './read.ts'
export { createSafetensorsWriter, type SafetensorsWriter } from './write.ts'
