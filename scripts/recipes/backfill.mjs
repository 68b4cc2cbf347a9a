#!/usr/bin/env zx
// The days of a month, one after the other. What is done stays done: started again, it goes on where it stopped.

import { echo, parseArgv } from 'zx'
import { pipeline } from '../prestage.mjs'

const HELP = `backfill: take each day of a month through the pipeline

  npx zx scripts/recipes/backfill.mjs --month 2026-10 --source cloudtrail --logs s3://org-logs

      --month YYYY-MM  the month, UTC (required)
      --help           show this help

All other options are those of the pipeline (see scripts/pipeline.mjs --help); the cost limit is one for each day.`

const DAY_MS = 86_400_000

const { month, help, _, ...options } = parseArgv(undefined, {
  camelCase: true,
  string: ['month', 'account', 'run'],
  boolean: ['help', 'yes'],
})

/** The days of a month up to yesterday: logs of today are still being written. */
function daysOf(/** @type {string} */ text) {
  const first = Date.parse(`${text}-01`)
  const days = []
  for (let day = first; new Date(day).toISOString().startsWith(text) && day + DAY_MS <= Date.now(); day += DAY_MS)
    days.push(new Date(day))
  return days
}

if (help) echo(HELP)
else if (!/^\d{4}-(0[1-9]|1[0-2])$/.test(month ?? '')) {
  console.error('backfill: --month YYYY-MM is missing or is not a month\n  see --help')
  process.exitCode = 2
} else {
  const failed = []
  for (const from of daysOf(month)) {
    const day = from.toISOString().slice(0, 10)
    try {
      const { run, report } = await pipeline({ ...options, from, to: new Date(from.getTime() + DAY_MS) })
      echo(`${day}  ${run}  ${report}`)
    } catch (error) {
      // A day without logs is no reason to stop; a wrong option or a refusal would come again every day.
      const exitCode = Reflect.get(Object(error), 'exitCode') ?? 1
      if (exitCode !== 1) throw error
      console.error(`${day}:`, error)
      failed.push(day)
    }
  }
  if (failed.length > 0) {
    console.error(`backfill: failed: ${failed.join(', ')}; the same command tries them again`)
    process.exitCode = 1
  }
}
