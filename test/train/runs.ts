import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatIpv4 } from '../../scripts/lib/insights/ipv4.ts'
import { createRun } from '../../scripts/lib/runs/workspace.ts'
import { behaviour } from '../../scripts/simulate/behaviour.ts'
import { REQUEST } from '../lib/runs/fixture/ledger.ts'
import { extractResult } from '../support/results.ts'

/** Rows of simulated users: seven days to train on, three held out. */
export function simulatedRows(users: number, seed = 1, minEvents = 50): { train: string; holdout: string } {
  const people = behaviour({ seed, users, minEvents, maxEvents: 500 })
  const rows: { train: string[]; holdout: string[] } = { train: [], holdout: [] }
  for (let user = 0; user < users; user++)
    for (let event = 0; event < people.eventsOf(user); event++)
      rows[people.momentOf(user, event) < 0.7 ? 'train' : 'holdout'].push(
        `user_${user},${formatIpv4(people.addressOf(user, event))}\n`,
      )
  return { train: rows.train.join(''), holdout: rows.holdout.join('') }
}

/** Writes files by name into a folder. */
export function writeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
}

/** A run whose pairs are extracted, six hours of its day held out. */
export async function extractedRun(workspace: string, train: string, holdout: string) {
  const run = await createRun(workspace, REQUEST)
  const step = { settings: {}, inputs: [], overwrite: false }
  await run.step('extract', step, async () => {
    const rows = train.split(/(?<=\n)/)
    writeFiles(run.path(''), {
      'pairs/train/part-0.csv': rows.slice(0, rows.length / 2).join(''),
      'pairs/train/part-1.csv': rows.slice(rows.length / 2).join(''),
      ...(holdout !== '' && { 'pairs/holdout/part-0.csv': holdout }),
    })
    const count = (text: string) => text.split('\n').length - 1
    return extractResult({ trainPairs: count(train), holdoutPairs: count(holdout), digest: 'some' })
  })
  return run
}
