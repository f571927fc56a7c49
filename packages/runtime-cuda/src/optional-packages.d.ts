// Optional: the sources compile where it is not installed; what is used of it is described in onnx-runtime.ts.
declare module 'onnxruntime-node'
