import type { Context } from '../lib/cli/command.ts'
import { quoted } from '../lib/cli/format.ts'
import { kebab } from '../lib/cli/options.ts'
import { nextCommand } from '../lib/runs/next.ts'
import { HOLDOUT, scoreStep } from '../lib/runs/paths.ts'
import { OF_FILES } from '../lib/runs/request.ts'
import type { Run } from '../lib/runs/run.ts'
import type { Questions } from './data.ts'

/** The commands that follow an alert, each up to its last word. @param other the run that was judged; undefined for the holdout */
export function questionsOf(run: Run, other: Run | undefined, { completed }: Pick<Context, 'completed'>): Questions {
  const judged = other ?? run
  const ask = (question: string, name: string) => completed(`${nextCommand('query', judged)} ${question} --${name}=`)
  const allow = completed(`${nextCommand(scoreStep(other?.id ?? HOLDOUT), run)}${sameScore(run, other)} --allow `)
  if (judged.request.keys === OF_FILES) return { allow }
  return {
    address: ask('sql/explore/entities-of-address.sql', 'ip'),
    entity: ask('sql/explore/addresses-of-entity.sql', 'entity-name'),
    allow,
  }
}

/** Options that shape the verdicts, and that another score would not have by itself. */
const REPEATED = ['alertsPerDay', 'threshold', 'minEvents', 'rank', 'prior', 'allow'] as const

/** What was said when it was scored. */
function sameScore(run: Run, other: Run | undefined): string {
  const settings = run.ledger.steps[scoreStep(other?.id ?? HOLDOUT)]?.settings ?? {}
  const words = REPEATED.flatMap((name) => {
    const value = settings[name] ?? []
    // With =, since a number may be negative.
    return [value].flat().map((one) => `--${kebab(name)}=${quoted(String(one))}`)
  })
  // Of these files only the digest is known.
  const options = { labels: '--labels', networks: '--networks', allowances: '--allow' }
  const files = Object.entries(options).flatMap(([name, option]) =>
    typeof settings[name] === 'string' ? [option, 'FILE'] : [],
  )
  return [...words, ...files].map((word) => ` ${word}`).join('')
}
