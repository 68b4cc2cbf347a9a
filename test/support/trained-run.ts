import { mkdirSync, writeFileSync } from 'node:fs'
import { silentContext } from '../../scripts/lib/cli/command.ts'
import { take } from '../../scripts/lib/cli/take.ts'
import { encodeEntity } from '../../scripts/lib/insights/entity-codec.ts'
import { formatIpv4 } from '../../scripts/lib/insights/ipv4.ts'
import { Random } from '../../scripts/lib/insights/random.ts'
import type { Request } from '../../scripts/lib/runs/request.ts'
import type { Run } from '../../scripts/lib/runs/run.ts'
import { createRun, openRun } from '../../scripts/lib/runs/workspace.ts'
import { command as train } from '../../scripts/train/command.ts'
import { extractResult, stageResult } from './results.ts'

const REQUEST: Request = {
  source: 'waf',
  logs: '/logs',
  from: '2026-11-20T00:00:00.000Z',
  to: '2026-11-30T00:00:00.000Z',
  accounts: [],
  regions: [],
  keys: 'list',
}

/** Names that a stranger could have chosen; all are known to the model. */
export const HOSTILE = [
  '<script>alert(1)</script>',
  '=HYPERLINK("http://x.example","y")',
  'john.doe, "the \u202eeod"',
  "' onmouseover='x",
  'two\u2028lines\u2029',
]

const ENTITIES = 24
/** Accesses in training and in the holdout, of each entity. */
const [TRAINED, HELD] = [150, 40]

/** What `trainedRun` knows of attacks: `source,entity,ip,kind,time`. */
export const LABELS = 'labels.csv'

/**
 * A run that is extracted and trained: two dozen entities with two networks each, one that was seen three times, one that only the
 * holdout has, and attacks from elsewhere in the holdout, whose labels lie beside the runs.
 * @param ipv6 rows of pairs/ipv6
 */
export async function trainedRun(
  workspace: string,
  change: Partial<Request> = {},
  ipv6: readonly string[] = [],
): Promise<Run> {
  const run = await createRun(workspace, { ...REQUEST, ...change })
  const [training, holdout, labels] = accesses()
  for (const folder of ['pairs/train', 'pairs/holdout', 'staged']) mkdirSync(run.path(folder), { recursive: true })
  writeFileSync(run.path('pairs/train/part-0.csv'), training.join(''))
  writeFileSync(run.path('pairs/holdout/part-0.csv'), holdout.join(''))
  writeFileSync(`${workspace}/${LABELS}`, labels.join(''))
  if (ipv6.length > 0) {
    mkdirSync(run.path('pairs/ipv6'))
    writeFileSync(run.path('pairs/ipv6/part-0.csv'), ipv6.map((row) => `${row}\n`).join(''))
  }
  const plan = { settings: {}, inputs: [], overwrite: false }
  await run.step('stage', plan, async () => stageResult({ objects: 12, bytes: 34_567, estimatedUsd: 0.25 }))
  await run.step('extract', { ...plan, inputs: ['stage'] }, async () =>
    extractResult({
      events: training.length + holdout.length + 55,
      pairs: training.length + holdout.length,
      trainPairs: training.length,
      holdoutPairs: holdout.length,
      entities: ENTITIES + 1,
      entity: 'user-agent',
      dropped: { ipv6: 50, 'no-entity': 5 },
      ...(ipv6.length > 0 && { ipv6: { trainPairs: 0, holdoutPairs: 0, distinct: ipv6.length } }),
      cutoff: '2026-11-28T00:00:00.000Z',
    }),
  )
  await take(train, silentContext(), {
    workspace,
    run: run.id,
    epochs: 12,
    vectorDim: 16,
    miniBatchSize: 200,
    learningRate: 0.02,
  })
  return openRun(workspace, run.id)
}

function accesses(): [training: string[], holdout: string[], labels: string[]] {
  const random = new Random(5)
  const row = (entity: string, ip: number) => `${encodeEntity(entity)},${formatIpv4(ip)}\n`
  const [training, holdout]: [string[], string[]] = [[], []]
  const labels = ['source,entity,ip,kind,time\n']
  for (let i = 0; i < ENTITIES; i++) {
    const entity = HOSTILE[i] ?? `agent-${i}`
    const homes = [home(random), home(random)]
    const access = () => row(entity, homes[random.below(4) === 0 ? 1 : 0]! + random.below(250))
    for (let n = 0; n < TRAINED; n++) training.push(access())
    for (let n = 0; n < HELD; n++) holdout.push(access())
    const [kind, ip] = i % 2 === 0 ? ['random-network', home(random) + 7] : ['near-network', homes[0]! + 256]
    holdout.push(row(entity, ip as number))
    labels.push(`waf,"${entity.replaceAll('"', '""')}",${formatIpv4(ip as number)},${kind},2026-11-29T00:00:00Z\n`)
  }
  for (let n = 0; n < 3; n++) training.push(row('rare', home(random)))
  holdout.push(row('rare', home(random)), row('new.comer', home(random)), row('new.comer', home(random)))
  return [training, holdout, labels]
}

/** First address of some /24 of the ordinary Internet. */
const home = (random: Random): number => (20 + random.below(150)) * 2 ** 24 + random.below(65_536) * 256
