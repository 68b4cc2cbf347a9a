import type { Context } from '../../lib/cli/command.ts'
import { UserError } from '../../lib/cli/errors.ts'
import { type Alert, pairKey } from '../../lib/runs/alerts.ts'
import type { Checkpoint, Saved } from '../../lib/runs/checkpoints.ts'
import type { Usual } from '../../lib/runs/providers/history.ts'
import type { Verdict } from '../../lib/runs/verdicts.ts'
import type { Lookup } from './lookup.ts'

/** More than anybody looks into. */
const MOST_ALERTS = 1000

interface Sources {
  readonly context: Context
  readonly usualOf: (entity: string) => readonly Usual[]
  readonly lookup: Lookup | undefined
  readonly checkpoint: Checkpoint<Saved<'score'>> | undefined
}

/** The most anomalous of the flagged pairs, with what is known about each. @param top most anomalous first */
export async function alertsAmong(top: readonly Verdict[], sources: Sources): Promise<Alert[]> {
  const flagged = top.filter((verdict) => verdict.flagged).slice(0, MOST_ALERTS)
  const found = await lookedUp(flagged, sources)
  return flagged.map((verdict) => {
    const { entity, ip, provider, anomalyScore = 0, accesses, events, reasons = [] } = verdict
    const details = found?.get(pairKey(verdict))
    return {
      ...{ entity, ip, ...(provider && { provider }), anomalyScore, accesses, events },
      reasons: reasons.map(({ text }) => text),
      usual: sources.usualOf(entity),
      ...(details && { details }),
    }
  })
}

/** What is found in the logs is an addition: verdicts hold without it. */
async function lookedUp(flagged: readonly Verdict[], { context, lookup, checkpoint }: Sources) {
  try {
    return await lookup?.ask(flagged, checkpoint)
  } catch (error) {
    context.signal.throwIfAborted()
    if (!(error instanceof UserError)) throw error
    const more = error.hint === undefined ? '' : `: ${error.hint}`
    context.talk.warn(`alerts do not say what was done: ${error.message}${more}; then score with --overwrite`)
    return undefined
  }
}
