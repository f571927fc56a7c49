#!/usr/bin/env node
require('./start.cjs').start(__filename)
