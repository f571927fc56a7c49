#!/usr/bin/env node
import { start } from '@mk/cli/start'

await start(import.meta.url)
