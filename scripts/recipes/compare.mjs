#!/usr/bin/env zx
// The same logs with two kinds of entity, side by side: which of them makes a better model?

import { echo, parseArgv } from 'zx'
import { pipeline } from '../prestage.mjs'

const HELP = `compare: two kinds of entity on the same logs, side by side

  npx zx scripts/recipes/compare.mjs --entities principal,arn --source cloudtrail --logs ./org-logs --from 2026-11-01 --to 2026-11-11

      --entities A,B   the kinds of entity (required); see scripts/extract.mjs --help
      --workspace URI  each kind gets a workspace of its own below it (default: ./compare)
      --help           show this help

All other options are those of the pipeline (see scripts/pipeline.mjs --help).`

const strings = ['account', 'run', 'entities', 'workspace']
const parsed = parseArgv(undefined, { camelCase: true, string: strings, boolean: ['help', 'yes'] })
const { entities = '', workspace = 'compare', help, _, ...options } = parsed
const kinds = entities.split(',').filter(Boolean)

/** @type {[what: string, of: (steps: any) => unknown][]} */
const ROWS = [
  ['entities', ({ extract }) => extract.entities],
  ['pairs', ({ extract }) => extract.pairs],
  ['AUC against random addresses', ({ train }) => train.auc?.toFixed(4)],
  ['judged', ({ score }) => score.scored],
  ['flagged', ({ score }) => score.flagged],
  ['of entities not seen in training', ({ score }) => score.unseen],
  ['of rare entities', ({ score }) => score.sparse],
]

if (help) echo(HELP)
else if (kinds.length < 2) {
  console.error('compare: --entities needs two kinds of entity, for example principal,arn\n  see --help')
  process.exitCode = 2
} else {
  /** @type {{ steps: any, report: string }[]} */
  const results = []
  for (const entity of kinds) results.push(await pipeline({ ...options, entity, workspace: `${workspace}/${entity}` }))
  const table = [['', ...kinds], ...ROWS.map(([what, of]) => [what, ...results.map(({ steps }) => String(of(steps)))])]
  for (const [what = '', ...values] of table) echo(what.padEnd(34) + values.map((value) => value.padStart(16)).join(''))
  for (const { report } of results) echo(`report ${report}`)
}
