#!/usr/bin/env node
require('@mk/cli/start').start(__filename)
