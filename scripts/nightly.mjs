#!/usr/bin/env zx
import { run } from './lib/cli/boot.mjs'

await run(import.meta.url, () => import('./nightly/command.ts'))
