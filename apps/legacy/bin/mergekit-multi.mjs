#!/usr/bin/env node
import '@mk/cli/require-node'
import module from 'node:module'

module.enableCompileCache?.() // Node 20 has none
await import('../dist/bins/mergekit-multi.js')
