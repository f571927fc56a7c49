import { defineConfig } from 'vite'

// Paths in the build are relative, so that it works from any folder of any server.
export default defineConfig({
  base: './',
  worker: { format: 'es' },
  build: { target: 'es2023' },
})
