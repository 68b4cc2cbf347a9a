#!/usr/bin/env zx
// A model for each account that the inventory finds: what is usual in one account need not be in another.

import { echo, parseArgv } from 'zx'
import { inventory, pipeline } from '../prestage.mjs'

const HELP = `per-account: take each account through the pipeline by itself

  npx zx scripts/recipes/per-account.mjs --source cloudtrail --logs ./org-logs --from 2026-11-01 --to 2026-11-11

      --source NAME  one kind of log (required)
      --help         show this help

All other options are those of the pipeline (see scripts/pipeline.mjs --help).`

const { source, help, _, ...options } = parseArgv(undefined, {
  camelCase: true,
  string: ['account', 'run'],
  boolean: ['help', 'yes'],
})

/** Accounts whose logs of the source there are, in order. */
async function accountsOf(/** @type {string} */ kind) {
  const { profile, awsRegion, endpointUrl, stack, config, logs, account, region } = options
  const { sources } = await inventory({
    logs,
    account,
    region,
    source: kind,
    profile,
    awsRegion,
    endpointUrl,
    stack,
    config,
  })
  /** @type {string[]} */
  const accounts = sources.flatMap((/** @type {{ accounts: string[] }} */ found) => found.accounts)
  return [...new Set(accounts)].sort()
}

if (help) echo(HELP)
else if (typeof source !== 'string') {
  console.error('per-account: --source is missing\n  see --help')
  process.exitCode = 2
} else {
  for (const account of await accountsOf(source))
    try {
      const { run, steps, report } = await pipeline({ ...options, source, account })
      echo(`${account}  ${steps.score.flagged} flagged  ${run}  ${report}`)
    } catch (error) {
      const exitCode = Reflect.get(Object(error), 'exitCode') ?? 1
      if (exitCode !== 1) throw error
      console.error(`${account}:`, error)
      process.exitCode = 1
    }
}
