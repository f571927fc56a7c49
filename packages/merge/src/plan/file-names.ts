/** The only file of weights of an output that is a GGUF. */
export const ggufFileName = 'model.gguf'
