#!/usr/bin/env node
import './require-node.mjs'
import module from 'node:module'

module.enableCompileCache?.() // Node 20 has none
await import('../dist/mk-diff.js')
