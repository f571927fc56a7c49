// Optional: the sources compile where they are not installed; what is used of them is described in gpu-js.ts.
declare module 'gpu.js'
declare module 'webgpu'
